"""Pipelines of filters: ordered, serialisable, repeatable."""

from __future__ import annotations

import difflib
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering.operations import otsu_threshold
from core.imaging.filtering.operations.base import painted_over
from core.imaging.filtering.registry import FAMILIES, FILTERS, FilterSpec, Parameter
from core.imaging.filtering.specs import SAME
from core.micrograph import Micrograph

__all__ = [
    "FAMILIES",
    "FILTERS",
    "FilterSpec",
    "Parameter",
    "Pipeline",
    "Stage",
    "Step",
    "otsu_threshold",
    "run_step",
]

MAX_STEPS = 32
MAX_JSON_CHARACTERS = 100_000
_RECIPROCAL = {"calibration": "no pixel size: reciprocal axes"}


@dataclass(frozen=True, slots=True)
class Step:
    """One filter with its settings; those not given take their defaults.

    Parameters
    ----------
    filter : str
        A key of `FILTERS`.
    parameters : mapping of str to int, float, str or tuple
        A length in px ("sigma_px") may be given in nanometres instead ("sigma_nm"); the step then
        needs a micrograph of known pixel size. Another image is named by its digest (sha256).

    Raises
    ------
    UserError
        If there is no such filter or setting, or a value is of the wrong type or out of range.
    """

    filter: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.filter, str) or self.filter not in FILTERS:
            raise UserError(_unknown_filter(self.filter))
        if not isinstance(self.parameters, Mapping):
            raise UserError(
                f"The settings of the filter {self.filter} must be a list of names and values. "
                'Write them like {"sigma_px": 2}.'
            )
        object.__setattr__(self, "parameters", self.spec.complete(self.parameters))

    def __hash__(self) -> int:
        return hash((self.filter, tuple(self.parameters.items())))

    def __str__(self) -> str:
        settings = (f"{name}={_plain(value)}" for name, value in self.parameters.items())
        return f"{self.filter}({', '.join(settings)})"

    @property
    def spec(self) -> FilterSpec:
        """The filter's entry in the registry."""
        return FILTERS[self.filter]

    @property
    def others(self) -> tuple[str, ...]:
        """Digests of the other micrographs that the step needs."""
        names = [p.name for p in self.spec.parameters if p.kind == "image"]
        return tuple(self.parameters[name] for name in names if self.parameters[name])

    @property
    def is_slow(self) -> bool:
        """Whether a megapixel takes longer than a moment with these settings."""
        numbers = ((self.parameters.get(p.name), p.slow_above) for p in self.spec.parameters)
        above = (value > most for value, most in numbers if isinstance(value, int | float))
        return self.spec.is_slow or any(above)

    @property
    def in_nm(self) -> bool:
        """Whether a length, area or frequency is given in nanometres."""
        return any(name.endswith(("_nm", "_nm2")) for name in self.parameters)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"filter": self.filter, "parameters": dict(self.parameters)}

    @classmethod
    def from_dict(cls, plain: Any) -> Step:
        """Return the step that `to_dict` described; anything else is a UserError."""
        if not isinstance(plain, dict) or not {"filter"} <= set(plain) <= {"filter", "parameters"}:
            raise UserError(
                "Each filter step must have the entries “filter” and “parameters” and no others. "
                "Export the filters again, or mend the file."
            )
        return cls(plain["filter"], plain.get("parameters", {}))


@dataclass(frozen=True, slots=True)
class Stage:
    """A micrograph after one step, and what it took.

    Parameters
    ----------
    step : Step
    micrograph : Micrograph
    thresholds : tuple of float
        Grey levels (of what went in) at which the step cut; the median of local ones.
    elapsed_s : float
        How long the step took when it was computed.
    """

    step: Step
    micrograph: Micrograph
    thresholds: tuple[float, ...] = ()
    elapsed_s: float = 0.0

    @property
    def threshold(self) -> float | None:
        """The first of the thresholds, None for a step without."""
        return self.thresholds[0] if self.thresholds else None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Filters in order. Calling it returns a new micrograph that carries its history.

    Parameters
    ----------
    steps : iterable of Step
        At most 32; none leaves a micrograph as it is.

    Raises
    ------
    UserError
        If there are more than 32 steps.
    TypeError
        If something else than a step is among them.
    """

    steps: tuple[Step, ...] = ()

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        object.__setattr__(self, "steps", tuple(steps))
        for step in self.steps:
            if not isinstance(step, Step):
                raise TypeError(f"a pipeline is made of steps, got {type(step).__name__}")
        _check_length(len(self.steps))

    def __call__(
        self,
        micrograph: Micrograph,
        *,
        exclude: NDArray[np.bool_] | None = None,
        others: Mapping[str, Micrograph] | None = None,
    ) -> Micrograph:
        """Return the micrograph after all steps.

        Parameters
        ----------
        micrograph : Micrograph
            Pixels that are not finite stay as they are (0 in a mask), and filters see their nearest
            neighbour's value in their place.
        exclude : ndarray of shape (H, W), bool, optional
            True where a pixel must not count in statistics such as Otsu's threshold. It is
            filtered like any other.
        others : mapping of str to Micrograph, optional
            The micrographs that steps name by digest (flat field, histogram to match).

        Raises
        ------
        UserError
            If no pixel is left to count, two settings contradict each other, a length in nm meets
            an unknown pixel size, or a named micrograph is missing. It says which step.
        ValueError
            If the mask is not bool of the micrograph's shape.
        """
        stages = self.stages(micrograph, exclude=exclude, others=others)
        return stages[-1].micrograph if stages else micrograph

    def stages(
        self,
        micrograph: Micrograph,
        *,
        exclude: NDArray[np.bool_] | None = None,
        others: Mapping[str, Micrograph] | None = None,
        on_step: Callable[[int, int], None] | None = None,
    ) -> list[Stage]:
        """Return the micrograph after each step; parameters and errors as when called.

        `on_step` is called before each step as on_step(number, steps), from 0.
        """
        _check_mask(micrograph, exclude)
        stages = []
        for number, step in enumerate(self.steps):
            if on_step is not None:
                on_step(number, len(self.steps))
            try:
                stages.append(run_step(step, micrograph, exclude, others))
            except UserError as error:
                raise type(error)(f"Step {number + 1}, {step.spec.title}: {error}") from error
            micrograph = stages[-1].micrograph
        return stages

    def to_json(self) -> str:
        """Return the pipeline as JSON; equal pipelines give equal text."""
        return json.dumps({"steps": [step.to_dict() for step in self.steps]}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Pipeline:
        """Return the pipeline that `to_json` wrote; anything else is a UserError."""
        plain = _parse(text)
        if not isinstance(plain, dict) or set(plain) != {"steps"}:
            raise UserError(
                "The text must hold one entry called “steps” and no others. "
                "Export the filters again, or mend the file."
            )
        steps = plain["steps"]
        if not isinstance(steps, list):
            raise UserError("The entry “steps” must be a list. Export the filters again.")
        _check_length(len(steps))
        return cls(Step.from_dict(step) for step in steps)


def run_step(
    step: Step,
    micrograph: Micrograph,
    exclude: NDArray[np.bool_] | None = None,
    others: Mapping[str, Micrograph] | None = None,
) -> Stage:
    """Apply one step, with the nearest valid values in place of those that are not finite."""
    start = time.perf_counter()
    spec = step.spec
    settings = spec.resolve(step.parameters, micrograph.pixel_size)
    settings |= _other_pixels(step, others or {})
    pixels, hollow = _without_gaps(micrograph.pixels)
    whole = pixels
    if spec.paints_over:
        pixels = painted_over(pixels, exclude)
    skipped = exclude if hollow is None else hollow if exclude is None else hollow | exclude
    picked = spec.picks(pixels, skipped, **settings) if spec.picks is not None else {}
    settings |= picked
    thresholds: tuple[float, ...] = ()
    if spec.levels is not None:
        thresholds = spec.levels(pixels, skipped, **settings)
        settings["levels"] = thresholds
    result = spec.function(pixels, skipped, **settings)
    if exclude is not None and pixels is not whole and spec.result == SAME:
        result = np.where(exclude, whole, result)  # lettering stays as it was
    if hollow is not None:
        result[hollow] = np.nan if result.dtype.kind == "f" else 0
    if result.base is None:
        result.flags.writeable = False  # nobody else has it: no need for a copy
    after = micrograph.with_pixels(result, _history(step, micrograph, exclude))
    if picked:
        said = [*after.metadata.get("picked", ()), *_said(step, picked)]
        after = replace(after, metadata={**after.metadata, "picked": said})
    if spec.reciprocal:
        after = replace(after, pixel_size=None, metadata={**after.metadata, **_RECIPROCAL})
    return Stage(step, after, thresholds, time.perf_counter() - start)


def _other_pixels(step: Step, others: Mapping[str, Micrograph]) -> dict[str, NDArray[Any]]:
    """Return the pixels of the micrographs that a step names, or say which one is missing."""
    found = {}
    for parameter in step.spec.parameters:
        if parameter.kind != "image":
            continue
        digest = step.parameters[parameter.name]
        if not digest:
            raise UserError(
                "It needs another micrograph, and none is chosen. Choose one, or remove the step."
            )
        if digest not in others:
            raise UserError(
                f"It needs another micrograph, the one with the digest {digest[:12]}…, which is "
                "not loaded here. Load that file too, or choose another one."
            )
        found[parameter.name] = _without_gaps(others[digest].pixels)[0]
    return found


def _said(step: Step, picked: Mapping[str, Any]) -> list[str]:
    """Return what the picture decided in place of "auto", in words."""
    return [f"{step.filter}: {name} {value}" for name, value in picked.items()]


def _history(step: Step, micrograph: Micrograph, exclude: NDArray[np.bool_] | None) -> str:
    """Return what was done in one line; with all else that the result depends on."""
    text = str(step)
    if step.in_nm and micrograph.pixel_size is not None:
        text += f" at {micrograph.pixel_size.to('nm'):.9g} nm/px"
    depends = step.spec.uses_exclude or step.spec.paints_over
    if exclude is not None and depends and exclude.any():
        text += f" outside mask {hashlib.sha256(np.packbits(exclude).tobytes()).hexdigest()[:12]}"
    return text


def _unknown_filter(name: Any) -> str:
    """Say that there is no such filter, and which one may be meant."""
    shown = str(name)[:40]
    near = difflib.get_close_matches(shown, FILTERS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else "The Filters page lists them."
    return f"There is no filter called {shown!r}. {hint}"


def _without_gaps(pixels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Fill what is not finite from the nearest pixel that is; return where, or None if nowhere."""
    if pixels.dtype.kind != "f" or np.isfinite(pixels).all():
        return pixels, None
    hollow = ~np.isfinite(pixels)
    if hollow.all():
        raise UserError("The micrograph holds no valid pixel. Check the file or load another one.")
    nearest = scipy.ndimage.distance_transform_edt(
        hollow, return_distances=False, return_indices=True
    )
    return pixels[tuple(nearest)], hollow


def _plain(value: Any) -> str:
    """Write a setting as text: whole floats without a point, others in full."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _check_length(steps: int) -> None:
    """Refuse pipelines that are too long."""
    if steps > MAX_STEPS:
        raise UserError(f"There are {steps} filter steps; at most {MAX_STEPS} fit. Remove some.")


def _check_mask(micrograph: Micrograph, exclude: NDArray[np.bool_] | None) -> None:
    """Refuse a mask that does not lie on the micrograph."""
    if exclude is None:
        return
    if exclude.shape != micrograph.shape or exclude.dtype != np.bool_:
        raise ValueError(
            f"exclude must be bool of shape {micrograph.shape}, got {exclude.dtype} {exclude.shape}"
        )


def _parse(text: str) -> Any:
    """Read strict JSON: of bounded length, without NaN, infinity or repeated names."""
    try:
        if len(text) > MAX_JSON_CHARACTERS:
            raise ValueError("too long")
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique_names)
    except (ValueError, RecursionError) as error:
        raise UserError(
            "The filters could not be read: the text is not valid JSON. "
            "Export the filters again, or mend the file."
        ) from error


def _refuse(constant: str) -> Any:
    """Refuse NaN and infinity, which JSON does not have."""
    raise ValueError(f"{constant} is not JSON")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dict, unless a name occurs twice."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)
