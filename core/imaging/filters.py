"""Pipelines of filters: ordered, serialisable, repeatable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import UserError
from core.imaging.operations import otsu_threshold
from core.imaging.registry import FILTERS, FilterSpec, Parameter
from core.micrograph import Micrograph

__all__ = ["FILTERS", "FilterSpec", "Parameter", "Pipeline", "Stage", "Step", "otsu_threshold"]

MAX_STEPS = 32
MAX_JSON_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Step:
    """One filter with its settings; those not given take their defaults.

    Parameters
    ----------
    filter : str
        A key of `FILTERS`.
    parameters : mapping of str to int, float or str

    Raises
    ------
    UserError
        If there is no such filter or setting, or a value is of the wrong type or out of range.
    """

    filter: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.filter, str) or self.filter not in FILTERS:
            raise UserError(
                f"There is no filter called {str(self.filter)[:40]!r}. "
                f"Choose one of {', '.join(FILTERS)}."
            )
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
    """A micrograph after one step; `threshold` is the grey level at which Otsu cut, else None."""

    step: Step
    micrograph: Micrograph
    threshold: float | None = None


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
        self, micrograph: Micrograph, *, exclude: NDArray[np.bool_] | None = None
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

        Raises
        ------
        UserError
            If no pixel is left to count, or two settings contradict each other.
        ValueError
            If the mask is not bool of the micrograph's shape.
        """
        stages = self.stages(micrograph, exclude=exclude)
        return stages[-1].micrograph if stages else micrograph

    def stages(
        self, micrograph: Micrograph, *, exclude: NDArray[np.bool_] | None = None
    ) -> list[Stage]:
        """Return the micrograph after each step; parameters and errors as when called."""
        _check_mask(micrograph, exclude)
        stages = []
        for step in self.steps:
            stages.append(_run(step, micrograph, exclude))
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


def _run(step: Step, micrograph: Micrograph, exclude: NDArray[np.bool_] | None) -> Stage:
    """Apply one step, with the nearest valid values in place of those that are not finite."""
    pixels, hollow = _without_gaps(micrograph.pixels)
    skipped = exclude if hollow is None else hollow if exclude is None else hollow | exclude
    result = step.spec.function(pixels, skipped, **step.parameters)
    if hollow is not None:
        result[hollow] = np.nan if result.dtype.kind == "f" else 0
    threshold = otsu_threshold(pixels, skipped) if step.filter == "otsu" else None
    text = str(step)
    if exclude is not None and step.spec.uses_exclude and exclude.any():
        text += f" outside mask {hashlib.sha256(np.packbits(exclude).tobytes()).hexdigest()[:12]}"
    return Stage(step, micrograph.with_pixels(result, text), threshold)


def _without_gaps(pixels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Fill what is not finite from the nearest pixel that is; return where, or None if nowhere."""
    if pixels.dtype.kind != "f" or np.isfinite(pixels).all():
        return pixels, None
    hollow = ~np.isfinite(pixels)
    if hollow.all():
        raise UserError("The micrograph holds no valid pixel. Check the file or load another one.")
    nearest = ndimage.distance_transform_edt(hollow, return_distances=False, return_indices=True)
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
