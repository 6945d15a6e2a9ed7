"""Everything that a run over many micrographs needs to be repeated, as one small JSON text."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NoReturn

from core.errors import UserError
from core.imaging.filtering import Pipeline, Step
from core.measuring.clustering import GREY, MAX_CLUSTERS, MIN_CLUSTERS, FeatureSet, Smoothing

KIND = "micrographia-recipe"
VERSION = 2  # version 1 is read too: it lacks the fields that came later, and they have defaults
SMALLEST_REGION_PX = (1, 1_000_000)
LONGEST_NAME = 400
LONGEST_JSON = 200_000

PICTURES = ("overlays", "masks", "maps")
SEEDS = (0, 2**31 - 1)
_LONGEST_REASON = 240  # letters of what is wrong with a value
_LARGEST = 1e9  # of a number in a part of the recipe: what lies beyond is no setting
_FEATURES, _AS_FOUND = FeatureSet(), Smoothing()
_PART = re.compile(r"(?:folder(?::[1-9])?|name:-?[1-9]|metadata:[\w .:/-]{1,80})?")
_SWITCHES = ("exclude_overlays", "drop_border_regions", "split_regions", "fill_holes")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a batch is classified, explained, clustered and measured.

    Parameters
    ----------
    model : str
        Name of a model folder, as `list_models` gives it, or its path.
    method : str
        Id of the class activation map, one of `METHODS`.
    clusters : int
        Number of clusters, 2 to 20.
    target_cluster : int
        The cluster whose area and regions are reported. Clusters are numbered from dark to
        bright; negative numbers count from the bright end, so -1 is the brightest.
    filters : tuple of Step
        Applied, in this order, before clustering and measuring. The network always sees the
        unfiltered micrograph: it was trained on those.
    exclude_overlays : bool
        Leave out the info bar, scale bar and burned-in text.
    smallest_region_px : int
        Regions with fewer pixels are noise: they count as area, not as regions.
    model_sha256 : str
        Digest of the weights; a run with other weights is refused. Empty: any.
    conformal_level : float or None
        Coverage that prediction sets aim at, 0.5 to 0.99; None is the level of the model's card.
    layer : str or None
        The activation map that is explained; None is the last one.
    explained_class : str or None
        Id of the class that evidence is shown for; None is the predicted class.
    clustering : str
        How pixels are grouped, one of `core.reporting.batch.analysis.CLUSTERINGS`: "grey" (exact
        k-means of grey levels), "features" (k-means of features) or "mixture" (of Gaussians).
    features : FeatureSet
        What describes a pixel when clusters are not those of grey levels.
    cluster_seed : int
        Seed of the clusters that are not those of grey levels.
    smoothing : Smoothing
        Whether clusters are made to hang together.
    drop_border_regions : bool
        Leave out regions that are cut, by the frame or by what is left out of it: they are larger
        than what shows of them.
    split_regions : bool
        Separate regions that touch at a neck.
    fill_holes : bool
        Holes become part of the regions around them.
    connectivity : int
        8: pixels that meet at a corner belong to one region; 4: those that share an edge.
    sample_from, label_from : str
        Where the name of the sample, and the true class, come from: "folder" (the innermost;
        "folder:2" the one around it), "name:1" (first part of the file name, parts being divided
        by spaces, dots, - and _; "name:-1" the last one), "metadata:KEY", or "" for nowhere.
    pictures : tuple of str
        Which pictures are kept beside the tables: "overlays", "masks", "maps" (heat maps as NPY).

    Raises
    ------
    ValueError
        If a value has the wrong type or lies outside its range.
    UserError
        If there are more filters than a pipeline takes.
    """

    model: str = "em-morph5"
    method: str = "grad-cam"
    clusters: int = 3
    target_cluster: int = -1
    filters: tuple[Step, ...] = ()
    exclude_overlays: bool = True
    smallest_region_px: int = 10
    model_sha256: str = field(default="", kw_only=True)
    conformal_level: float | None = field(default=None, kw_only=True)
    layer: str | None = field(default=None, kw_only=True)
    explained_class: str | None = field(default=None, kw_only=True)
    clustering: str = field(default=GREY, kw_only=True)
    features: FeatureSet = field(default=_FEATURES, kw_only=True)
    cluster_seed: int = field(default=0, kw_only=True)
    smoothing: Smoothing = field(default=_AS_FOUND, kw_only=True)
    drop_border_regions: bool = field(default=False, kw_only=True)
    split_regions: bool = field(default=False, kw_only=True)
    fill_holes: bool = field(default=False, kw_only=True)
    connectivity: int = field(default=8, kw_only=True)
    sample_from: str = field(default="", kw_only=True)
    label_from: str = field(default="", kw_only=True)
    pictures: tuple[str, ...] = field(default=("overlays", "masks"), kw_only=True)

    def __post_init__(self) -> None:
        _check_name("model", self.model)
        _check_name("method", self.method)
        _check_whole("clusters", self.clusters, MIN_CLUSTERS, MAX_CLUSTERS)
        _check_whole("target_cluster", self.target_cluster, -self.clusters, self.clusters - 1)
        _check_whole("smallest_region_px", self.smallest_region_px, *SMALLEST_REGION_PX)
        for name in _SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, got {_brief(getattr(self, name))}")
        for name in ("layer", "explained_class"):
            if getattr(self, name) is not None:
                _check_name(name, getattr(self, name))
        if isinstance(self.connectivity, bool) or self.connectivity not in (4, 8):
            raise ValueError(f"connectivity must be 4 or 8, got {_brief(self.connectivity)}")
        _check_name("clustering", self.clustering)
        _check_whole("cluster_seed", self.cluster_seed, *SEEDS)
        for name, kind in (("features", FeatureSet), ("smoothing", Smoothing)):
            if not isinstance(getattr(self, name), kind):
                raise ValueError(f"{name} must be a {kind.__name__}")
        _check_digest(self.model_sha256)
        _check_level(self.conformal_level)
        _check_part("sample_from", self.sample_from)
        _check_part("label_from", self.label_from)
        object.__setattr__(self, "pictures", _checked_pictures(self.pictures))
        object.__setattr__(self, "filters", _checked_steps(self.filters))

    def __hash__(self) -> int:
        return hash(self.to_json())

    @property
    def target(self) -> int:
        """Number of the target cluster, counted from the dark end (0 to clusters - 1)."""
        return self.target_cluster % self.clusters

    @property
    def pipeline(self) -> Pipeline:
        """The filters as one function of a micrograph."""
        return Pipeline(self.filters)

    def to_json(self) -> str:
        """Return the recipe as JSON text that `from_json` reads back to an equal recipe."""
        values: dict[str, Any] = {"kind": KIND, "version": VERSION}
        values |= {field.name: getattr(self, field.name) for field in fields(self)}
        values["filters"] = [step.to_dict() for step in self.filters]
        values["pictures"] = list(self.pictures)
        values |= {"features": asdict(self.features), "smoothing": asdict(self.smoothing)}
        return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """Return the recipe that a JSON text describes.

        Settings that the text leaves out take their defaults; version 1 has fewer of them.
        Nothing is guessed and nothing is ignored: a field or a filter that this version does not
        know is an error.

        Raises
        ------
        UserError
            If the text is not a recipe, comes from a newer version, or holds an unknown field,
            a value of the wrong type or a value outside its range.
        """
        values = _parse(text)
        _check_heading(values)
        settings = {key: value for key, value in values.items() if key not in ("kind", "version")}
        unknown = sorted(settings.keys() - {field.name for field in fields(cls)})
        if unknown:
            raise UserError(
                f"The recipe has a field that this version does not know: {unknown[0][:60]!r}. "
                "Correct its spelling or remove it."
            )
        if "filters" in settings:
            settings["filters"] = _read_steps(settings["filters"])
        try:
            for name, default in (("features", _FEATURES), ("smoothing", _AS_FOUND)):
                if name in settings:
                    settings[name] = _read_group(name, settings[name], default)
            return cls(**settings)
        except ValueError as error:
            said = str(error)[:_LONGEST_REASON]
            raise UserError(f"The recipe cannot be used: {said}. Correct this value.") from error


def _check_name(field: str, value: object) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{field} must be text, got {_brief(value)}")
    if not value.strip() or len(value) > LONGEST_NAME or not value.isprintable():
        raise ValueError(
            f"{field} must be 1 to {LONGEST_NAME} printable characters, got {_brief(value)}"
        )


def _check_whole(field: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{field} must be a whole number, got {_brief(value)}")
    if not low <= value <= high:
        raise ValueError(f"{field} must be from {low} to {high}, got {_brief(value)}")


def _check_digest(value: object) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"(?:[0-9a-f]{64})?", value):
        raise ValueError(
            f"model_sha256 must be 64 hexadecimal digits or empty, got {_brief(value)}"
        )


def _check_level(value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, float) or not 0.5 <= value <= 0.99:
        raise ValueError(f"conformal_level must be from 0.5 to 0.99 or null, got {_brief(value)}")


def _check_part(field: str, value: object) -> None:
    if not isinstance(value, str) or not _PART.fullmatch(value):
        raise ValueError(
            f'{field} must be "folder", "folder:2", "name:1", "name:-1", "metadata:KEY" or empty, '
            f"got {_brief(value)}"
        )


def _checked_pictures(value: object) -> tuple[str, ...]:
    known = isinstance(value, tuple | list) and all(name in PICTURES for name in value)
    if not known or len(set(value)) < len(value):  # type: ignore[call-overload, arg-type]
        raise ValueError(
            f"pictures must be a list of {', '.join(PICTURES)}, each at most once, "
            f"got {_brief(value)}"
        )
    return tuple(value)  # type: ignore[arg-type]


def _checked_steps(steps: object) -> tuple[Step, ...]:
    if not isinstance(steps, tuple | list) or not all(isinstance(step, Step) for step in steps):
        raise ValueError("filters must be a list of steps")
    return Pipeline(steps).steps


def _read_steps(value: object) -> tuple[Step, ...]:
    if not isinstance(value, list):
        raise UserError('In the recipe, "filters" must be a list of steps, in their order.')
    return tuple(Step.from_dict(step) for step in value)


def _read_group(name: str, value: object, default: Any) -> Any:
    """Return settings that belong together; those left out take their defaults."""
    known = asdict(default)
    if not isinstance(value, dict) or not value.keys() <= known.keys():
        raise ValueError(f"{name} must have the fields {', '.join(known)}, got {_brief(value)}")
    for key, given in value.items():
        if not _is_like(given, known[key]):
            raise ValueError(f"{key} of {name} must be like {known[key]}, got {_brief(given)}")
    return type(default)(
        **{key: tuple(given) if isinstance(given, list) else given for key, given in value.items()}
    )


def _is_like(given: object, known: object) -> bool:
    """Tell whether a value from JSON has the type of a known one."""
    if isinstance(known, tuple):
        return isinstance(given, list) and all(_is_like(each, 1.0) for each in given)
    if isinstance(known, float):
        number = isinstance(given, int | float) and not isinstance(given, bool)
        return number and abs(given) < _LARGEST  # type: ignore[arg-type]
    return type(given) is type(known)


def _check_heading(values: dict[str, Any]) -> None:
    if values.get("kind") != KIND:
        raise UserError(f'This JSON is not a recipe: it needs "kind": "{KIND}".')
    version = values.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise UserError(f'The recipe needs "version": {VERSION}, got {_brief(version)}.')
    if version > VERSION:
        raise UserError(
            f"The recipe is of version {_brief(version)} and this program reads version {VERSION}: "
            "update Micrographia, or save the recipe again with this version."
        )


def _parse(text: str | bytes) -> dict[str, Any]:
    if len(text) > LONGEST_JSON:
        raise UserError("The recipe is longer than any recipe can be; choose the right file.")
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        values = json.loads(
            decoded.removeprefix("\ufeff"),
            object_pairs_hook=_distinct_fields,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"The recipe is not valid JSON ({str(error)[:120]}). Choose a recipe.json that a batch "
            "or the Batch page wrote."
        ) from error
    if not isinstance(values, dict):
        raise UserError("The recipe must be one JSON object, in braces.")
    return values


def _distinct_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a field occurs twice")
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _brief(value: object) -> str:
    try:
        return repr(value)[:60]
    except ValueError:  # an integer with more digits than Python prints
        return "a number that is far too large"
