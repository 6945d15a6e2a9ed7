"""Everything that a run over many micrographs needs to be repeated, as one small JSON text."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any, Literal, NoReturn, get_args

from annotated_types import Interval, Predicate

from core.errors import UserError
from core.imaging.filtering import Pipeline, Step
from core.imaging.scale import parse_size
from core.learning.models import SHIPPED
from core.measuring.clustering import (
    AUTO,
    GREY,
    MAX_CLUSTERS,
    MIN_CLUSTERS,
    FeatureSet,
    Smoothing,
)
from core.measuring.defaults import NECK_DEPTH_PX
from core.reporting.decisions import (
    Decision,
    Length,
    RegionLimits,
    find_decision,
    read_decisions,
)
from core.reporting.schema import Must, brief, checked, read_part
from core.reporting.segmenting import CLUSTERS, SegmentBy, read_segmentation

KIND = "micrographia-recipe"
VERSION = 2  # version 1 is read too: it lacks the fields that came later, and they have defaults
SMALLEST_REGION_PX = (1, 1_000_000)
LONGEST_NAME = 400
LONGEST_JSON = 1_000_000  # what was decided for a thousand samples is half of that

FROM_FILE, FROM_PICTURE = "file", "read"
MOST_SAMPLES = 2_000
MOST_NECK_DEPTH_PX = 100.0
SEEDS = (0, 2**31 - 1)
FEWEST_TWINS, MOST_TWINS = 3, 500
_LONGEST_REASON = 240  # letters of what is wrong with a value
_FEATURES, _AS_FOUND, _BY_NOISE = FeatureSet(), Smoothing(), Smoothing(AUTO)
_LIMITS = RegionLimits()
_PARTS: dict[str, Any] = {  # settings that belong together, with what those left out of them are
    "features": _FEATURES,
    "smoothing": _AS_FOUND,
    "region_limits": _LIMITS,
    "segmentation": SegmentBy(),
}
_PAIRS = ("pixel_sizes", "samples")  # fields that JSON holds as lists of two
_PART = re.compile(r"(?:folder(?::[1-9])?|name:(?:-?[1-9]|start)|metadata:[\w .:/-]{1,80})?")
_DIGEST = re.compile(r"(?:[0-9a-f]{64})?")


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= LONGEST_NAME and text.isprintable()


def _is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def _is_part(text: str) -> bool:
    return _PART.fullmatch(text) is not None


def _is_rule(text: str) -> bool:
    return text in (FROM_FILE, FROM_PICTURE) or _is_length(text)


def _is_length(text: str) -> bool:
    return len(text) <= LONGEST_NAME and parse_size(text) is not None


def _are_lengths(pairs: tuple[tuple[str, str], ...]) -> bool:
    names = [name for name, _ in pairs]
    known = len(names) <= MOST_SAMPLES and _are_distinct(names)
    return known and all(_is_name(name) and _is_length(text) for name, text in pairs)


def _are_samples(pairs: tuple[tuple[str, str], ...]) -> bool:
    names = [name for name, _ in pairs]
    known = len(names) <= MOST_SAMPLES and _are_distinct(names)
    return known and all(_is_name(name) and _is_name(sample) for name, sample in pairs)


def _are_distinct(names: tuple[str, ...] | list[str]) -> bool:
    return len(set(names)) == len(names)


Name = Annotated[str, Predicate(_is_name), Must(f"be 1 to {LONGEST_NAME} printable characters")]
Digest = Annotated[str, Predicate(_is_digest), Must("be 64 hexadecimal digits or empty")]
Part = Annotated[
    str,
    Predicate(_is_part),
    Must('be "folder", "folder:2", "name:start", "name:1", "name:-1", "metadata:KEY" or empty'),
]
Rule = Annotated[str, Predicate(_is_rule), Must('be "file", "read" or a length such as "2.5 nm"')]
Lengths = Annotated[
    tuple[tuple[str, str], ...],
    Predicate(_are_lengths),
    Must('be pairs of a sample and its pixel size, such as ["S1", "2.5 nm"], each sample once'),
]
Samples = Annotated[
    tuple[tuple[str, str], ...],
    Predicate(_are_samples),
    Must('be pairs of a file name and its sample, such as ["a.tif", "S1"], each name once'),
]
Level = Annotated[
    Annotated[float, Interval(ge=0.5, le=0.99)] | None, Must("be from 0.5 to 0.99 or null")
]
Picture = Literal["overlays", "masks", "maps", "labels", "rois", "geojson", "coco"]
PICTURES: tuple[Picture, ...] = get_args(Picture)
Pictures = Annotated[
    tuple[Picture, ...],
    Predicate(_are_distinct),
    Must(f"be a list of {', '.join(PICTURES)}, each at most once"),
]
Measure = Literal["widths", "between", "grains", "boundaries", "gaps", "correlation"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
Measures = Annotated[
    tuple[Measure, ...],
    Predicate(_are_distinct),
    Must(f"be a list of {', '.join(MEASURES)}, each at most once"),
]
Steps = Annotated[tuple[Step, ...], Must("be a list of steps")]
Neighbours = Annotated[Literal[4, 8], Must("be 4 or 8")]
Twins = Annotated[
    int,
    Predicate(lambda count: count == 0 or FEWEST_TWINS <= count <= MOST_TWINS),
    Must(f"be 0 or from {FEWEST_TWINS} to {MOST_TWINS}"),
]
NeckDepth = Annotated[float, Interval(ge=0, le=MOST_NECK_DEPTH_PX)]
Clusters = Annotated[int, Interval(ge=MIN_CLUSTERS, le=MAX_CLUSTERS)]
RegionSize = Annotated[int, Interval(ge=SMALLEST_REGION_PX[0], le=SMALLEST_REGION_PX[1])]
Seed = Annotated[int, Interval(ge=SEEDS[0], le=SEEDS[1])]


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
    target_cluster : int or None
        The cluster whose area and regions are reported. Clusters are numbered from dark to
        bright; negative numbers count from the bright end, so -1 is the brightest. None: the one
        that stands out in most frames of a sample.
    filters : tuple of Step
        Applied, in this order, before clustering and measuring. The network always sees the
        unfiltered micrograph: it was trained on those.
    exclude_overlays : bool
        Leave out the info bar, scale bar and burned-in text.
    smallest_region_px : int
        Regions with fewer pixels are noise: they count as area, not as regions.
    smallest_region_nm : float or None
        The same as a diameter; where it is stated and the scale is known, pixels do not count.
    smallest_region_by : str
        "stated": as the two fields say. "auto": what is averaged against noise leaves grains, and
        regions are at least as wide as these.
    region_limits : RegionLimits
        Which of the regions are measured, by size and shape; all of them count as area.
    decided : tuple of Decision
        What "auto" and None became, by sample; a repetition decides nothing anew. Recipes that
        ask for the same are equal, whatever pictures made of it.
    model_sha256 : str
        Digest of the weights; a run with other weights is refused. Empty: any.
    prepare : str or None
        How frames are prepared for a network from elsewhere (`read_preparation`); None is what its
        file or its card says.
    classes_per_frame : str or None
        "one" or "several": how many classes of a network from elsewhere may be true of one frame;
        None is what its file or its card says.
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
        Whether clusters are made to hang together; "auto" lets noise decide, once per sample.
    segmentation : SegmentBy
        Another way to the phases than clusters: a threshold at the end of the filters, strokes, a
        network for particles. Its phases then are the clusters, and one of them is the target.
    drop_border_regions : bool
        Leave out regions that are cut, by the frame or by what is left out of it: they are larger
        than what shows of them.
    split_regions : bool
        Separate regions that touch at a neck.
    neck_depth_px : float
        How much the narrower part's half width must exceed that of a neck that is cut, see
        `core.measuring.regions.label_regions`.
    fill_holes : bool
        Holes become part of the regions around them.
    connectivity : int
        8: pixels that meet at a corner belong to one region; 4: those that share an edge.
    measures : tuple of str
        What is measured of the target besides its regions: "widths" (of fibres, walls, pores, and
        which way they lie), "between" (widths of what lies between), "grains" (regions by
        intercepts), "boundaries" (grains between them by intercepts), "gaps" (to the nearest
        region, and centres against chance), "correlation" (its length, and the fields that a
        precision needs).
    sizes_by : str
        "number", "area" or "volume": what a tenth, half and nine tenths of are meant by D10, D50
        and D90.
    twins : int
        Look-alikes with known truth that are drawn of a typical field of each sample and measured
        by this recipe, which says how wrong the numbers are; 0 for none, else 3 to 500.
    samples : tuple of (str, str)
        Name of a micrograph and its sample, as a person said: ("a.tif", "S1"). It counts before
        `sample_from`.
    sample_from, label_from : str
        Where the name of the sample, and the true class, come from: "folder" (the innermost;
        "folder:2" the one around it), "name:1" (first part of the file name, parts being divided
        by spaces, dots, - and _; "name:-1" the last one), "name:start" (all but a number at its
        end), "metadata:KEY", or "" for nowhere.
    pixel_size_from : str
        "file": the file's own, or a person's; nothing is ever read from a picture. "read": where
        the file states none, also what the picture states, if two findings agree on it. Or a
        length such as "2.5 nm", which then counts for every micrograph.
    pixel_sizes : tuple of (str, str)
        Sample (as `sample_from` finds it) and the pixel size of its micrographs: ("S1", "2.5 nm").
        It counts before `pixel_size_from`.
    pictures : tuple of str
        Which files are kept beside the tables: "overlays", "masks", "maps" (heat maps as NPY); of
        the regions "labels" (numbered TIFF), "rois" (ImageJ), "geojson" and "coco".

    Raises
    ------
    ValueError
        If a value has the wrong type or lies outside its range.
    UserError
        If there are more filters than a pipeline takes.
    """

    model: Name = SHIPPED
    method: Name = "grad-cam"
    clusters: Clusters = 3
    target_cluster: int | None = None
    filters: Steps = ()
    exclude_overlays: bool = True
    smallest_region_px: RegionSize = 10
    model_sha256: Digest = field(default="", kw_only=True)
    prepare: Name | None = field(default=None, kw_only=True)
    classes_per_frame: Literal["one", "several"] | None = field(default=None, kw_only=True)
    conformal_level: Level = field(default=None, kw_only=True)
    layer: Name | None = field(default=None, kw_only=True)
    explained_class: Name | None = field(default=None, kw_only=True)
    clustering: Name = field(default=GREY, kw_only=True)
    features: FeatureSet = field(default=_FEATURES, kw_only=True)
    cluster_seed: Seed = field(default=0, kw_only=True)
    smoothing: Smoothing = field(default=_BY_NOISE, kw_only=True)
    segmentation: SegmentBy = field(default=_PARTS["segmentation"], kw_only=True)
    smallest_region_nm: Length = field(default=None, kw_only=True)
    smallest_region_by: Literal["auto", "stated"] = field(default="auto", kw_only=True)
    region_limits: RegionLimits = field(default=_LIMITS, kw_only=True)
    drop_border_regions: bool = field(default=False, kw_only=True)
    split_regions: bool = field(default=False, kw_only=True)
    neck_depth_px: NeckDepth = field(default=NECK_DEPTH_PX, kw_only=True)
    fill_holes: bool = field(default=False, kw_only=True)
    connectivity: Neighbours = field(default=8, kw_only=True)
    measures: Measures = field(default=(), kw_only=True)
    sizes_by: Literal["number", "area", "volume"] = field(default="number", kw_only=True)
    sample_from: Part = field(default="", kw_only=True)
    label_from: Part = field(default="", kw_only=True)
    twins: Twins = field(default=0, kw_only=True)
    samples: Samples = field(default=(), kw_only=True)
    pixel_size_from: Rule = field(default=FROM_FILE, kw_only=True)
    pixel_sizes: Lengths = field(default=(), kw_only=True)
    pictures: Pictures = field(default=("overlays", "masks"), kw_only=True)
    decided: Annotated[tuple[Decision, ...], Must("be a list of decisions")] = field(
        default=(), kw_only=True, compare=False
    )

    def __post_init__(self) -> None:
        for name, value in checked(Recipe, _values(self)).items():
            object.__setattr__(self, name, value)
        if self.segmentation.way != CLUSTERS:  # phases stand in the place of clusters
            object.__setattr__(self, "clusters", self.segmentation.count)
            object.__setattr__(self, "target_cluster", self.target_cluster or 0)
        target = self.target_cluster
        if target is not None and not -self.clusters <= target < self.clusters:
            raise ValueError(
                f"target_cluster must be from {-self.clusters} to {self.clusters - 1}, "
                f"got {brief(self.target_cluster)}"
            )
        object.__setattr__(self, "filters", Pipeline(self.filters).steps)

    def __hash__(self) -> int:
        return hash(replace(self, decided=()).to_json())

    @property
    def target(self) -> int:
        """Number of the target cluster, counted from the dark end (0 to clusters - 1).

        Where it is left to the pictures, that of the first sample; the brightest before any has
        been looked at.
        """
        if self.target_cluster is not None:
            return self.target_cluster % self.clusters
        return self.decided[0].target_cluster if self.decided else self.clusters - 1

    @property
    def targets(self) -> tuple[int, ...]:
        """Numbers of the target clusters of all samples, ascending."""
        if self.target_cluster is not None or not self.decided:
            return (self.target,)
        return tuple(sorted({each.target_cluster for each in self.decided}))

    @property
    def leaves_open(self) -> bool:
        """Whether something is left to the pictures."""
        if self.segmentation.way != CLUSTERS:
            return False
        return self.target_cluster is None or self.smoothing.kind == AUTO

    def for_sample(self, sample: str) -> Recipe | None:
        """Return the recipe with what was decided for a sample; None where nothing was yet."""
        if not self.leaves_open:
            return self
        found = find_decision(self.decided, sample)
        if found is None:
            return None
        return replace(
            self,
            target_cluster=found.target_cluster,
            smoothing=found.smoothing,
            smallest_region_px=found.smallest_region_px,
            smallest_region_nm=found.smallest_region_nm,
            decided=(),
        )

    @property
    def pipeline(self) -> Pipeline:
        """The filters as one function of a micrograph."""
        return Pipeline(self.filters)

    def to_json(self) -> str:
        """Return the recipe as JSON text that `from_json` reads back to an equal recipe."""
        values: dict[str, Any] = {"kind": KIND, "version": VERSION}
        values |= _values(self)
        values["filters"] = [step.to_dict() for step in self.filters]
        values["pictures"] = list(self.pictures)
        values |= {name: asdict(getattr(self, name)) for name in _PARTS}
        values["decided"] = [each.to_dict() for each in self.decided]
        values["measures"] = list(self.measures)
        values |= {name: [list(pair) for pair in getattr(self, name)] for name in _PAIRS}
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
        for name in _PAIRS:
            if isinstance(pairs := settings.get(name), list):
                settings[name] = tuple(tuple(p) if isinstance(p, list) else p for p in pairs)
        if "filters" in settings:
            settings["filters"] = _read_steps(settings["filters"])
        try:
            if "decided" in settings:
                settings["decided"] = read_decisions(settings["decided"])
            if "segmentation" in settings:
                settings["segmentation"] = read_segmentation(settings["segmentation"])
            for name, default in _PARTS.items():
                if name in settings:
                    settings[name] = read_part(name, settings[name], default)
            return cls(**settings)
        except ValueError as error:
            said = str(error)[:_LONGEST_REASON]
            raise UserError(f"The recipe cannot be used: {said}. Correct this value.") from error


def _values(recipe: Recipe) -> dict[str, Any]:
    """Return the settings by field; lists stand for tuples."""
    values = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}


def _read_steps(value: object) -> tuple[Step, ...]:
    if not isinstance(value, list):
        raise UserError('In the recipe, "filters" must be a list of steps, in their order.')
    return tuple(Step.from_dict(step) for step in value)


def _check_heading(values: dict[str, Any]) -> None:
    if values.get("kind") != KIND:
        raise UserError(f'This JSON is not a recipe: it needs "kind": "{KIND}".')
    version = values.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise UserError(f'The recipe needs "version": {VERSION}, got {brief(version)}.')
    if version > VERSION:
        raise UserError(
            f"The recipe is of version {brief(version)} and this program reads version {VERSION}: "
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
