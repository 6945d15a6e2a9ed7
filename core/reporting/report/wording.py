"""The sentences and numbers of a report, escaped for HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from unicodedata import category

import pandas as pd

from core.measuring.clustering import AUTO, GREY, GREYS
from core.measuring.statistics import Interval, mean_interval
from core.reporting import sizing
from core.reporting.batch import NAMED, are_alike, group_column, list_versions, words_of
from core.reporting.decisions import Decision
from core.reporting.recipe import Recipe
from core.reporting.segmenting import CLUSTERS

if TYPE_CHECKING:
    from core.reporting.batch import BatchResult

WHOLE = ("number", "regions", "width_px", "height_px")

_MOST_DECISIONS = 12


def escape(text: object) -> str:
    """Return text that is safe between tags and inside attributes.

    Control and direction-changing characters, which could make a name look like another, are
    shown as a replacement character.
    """
    visible = "".join(
        c if c == "\n" or not category(c).startswith("C") else "\ufffd" for c in str(text)
    )
    return html.escape(visible, quote=True)


def percent(value: float) -> str:
    """Return a percentage with one digit, or that it is small but not zero."""
    return "under\u00a00.1\u00a0%" if 0 < value < 0.05 else f"{value:.1f}\u00a0%"


def number(value: object, column: str) -> str:
    """Return a number of a column as text; a dash when it is unknown."""
    if pd.isna(value):  # type: ignore[call-overload]
        return "–"
    known = float(value)  # type: ignore[arg-type]
    if column in WHOLE:
        return f"{int(known)}"
    return f"{known:.1f}" if column.endswith("percent") else plain_number(known)


def plain_number(value: float, digits: int = 4) -> str:
    """Return a number with so many digits, and without powers of ten where people use none."""
    size = abs(value)
    if size and not 1e-4 <= size < 1e9:
        return f"{value:.{digits - 1}e}"
    if size >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def with_limits(value: float, low: float, high: float) -> tuple[str, str]:
    """Return a number with its sign, and "low to high": all with the digits that the limits allow.

    Half of what lies between the limits has two digits; without limits a dash stands for them.
    """
    half = (high - low) / 2
    if not (math.isfinite(half) and half > 0 and 1e-4 <= abs(value) + half < 1e9):
        limits = "–" if math.isnan(half) else f"{plain_number(low)} to {plain_number(high)}"
        return ("–" if math.isnan(value) else _signed(plain_number(value))), limits
    decimals = max(0, 1 - math.floor(math.log10(half)))
    first, *ends = (f"{round(each, decimals) + 0.0:,.{decimals}f}" for each in (value, low, high))
    return _signed(first), " to ".join(end.replace("-", "−") for end in ends)


def _signed(shown: str) -> str:
    return f"−{shown[1:]}" if shown.startswith("-") else f"+{shown}"


def interval(value: Interval) -> str:
    """Return "mean % (low–high %), n = …"; limits only with two fields or more."""
    if value.n < 2:
        return f"{value.estimate:.1f} %, n = {value.n}"
    # A t-interval knows nothing of 0 and 100 %; an area does.
    low, high = max(value.low, 0.0), min(value.high, 100.0)
    return f"{value.estimate:.1f} % ({low:.1f}–{high:.1f} %), n = {value.n}"


def class_title(result: BatchResult, name: str) -> str:
    """Return a class's name for people, not yet escaped."""
    titles: dict[str, str] = result.model["display_names"]
    return titles.get(name, name.replace("_", " ")) or "no class"


def target_title(recipe: Recipe) -> str:
    """Return "cluster 2, the brightest of 3", or "cluster 1 of 3 (0 is the darkest)"."""
    if recipe.segmentation.way != CLUSTERS:
        name = recipe.segmentation.names[recipe.target]
        return f"cluster {recipe.target}, the phase “{escape(name)}”"
    if recipe.target_cluster is None and len(recipe.targets) > 1:
        return f"the cluster of {recipe.clusters} that stands out in each sample"
    if recipe.target_cluster is None and not recipe.decided:
        return f"the cluster of {recipe.clusters} that stands out"
    ends = {0: "darkest", recipe.clusters - 1: "brightest"}
    if recipe.target in ends:
        return f"cluster {recipe.target}, the {ends[recipe.target]} of {recipe.clusters}"
    return f"cluster {recipe.target} of {recipe.clusters} (0 is the darkest)"


def summary(result: BatchResult, fields: pd.DataFrame) -> str:
    """Return what came out of the batch, in two to five sentences.

    Micrographs that are not alike are not averaged; samples have an answer each elsewhere.
    """
    total, failed = len(result.rows), len(result.failed)
    if not total:
        return "The batch was cancelled before the first micrograph was done."
    if not len(fields):
        if total == 1:
            return "The file could not be analysed; the reason is below."
        return f"None of the {total} files could be analysed; the reasons are below."
    sentences = [
        f"All {total} micrographs were analysed."
        if not failed
        else f"{total - failed} of {_count(total, 'micrograph')} were analysed; {failed} failed."
    ]
    if total == 1 and not failed:
        sentences = ["One micrograph was analysed."]
    if result.given > total:
        sentences.insert(0, f"The batch was cancelled with {total} of {result.given} files done.")
    copies = len(result.succeeded) - len(fields)
    if copies:
        what = "One of them is a copy" if copies == 1 else f"{copies} of them are copies"
        sentences.append(f"{what} of another file and not counted in what follows.")
    grouped = group_column(fields) == "sample"
    classes = [] if grouped else [_class_sentence(result, fields)]
    area = [_area(result, fields)] if not grouped and are_alike(fields) else []
    return " ".join([*sentences, *classes, *_doubts(fields), *area])


def _class_sentence(result: BatchResult, fields: pd.DataFrame) -> str:
    if NAMED in fields:
        return _named_sentence(result, fields)
    counts = fields["label"].value_counts()
    leaders = sorted(str(name) for name in counts.index[counts == counts.max()])
    titles = [escape(class_title(result, name)) for name in leaders]
    names = " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)
    if len(leaders) == fields["label"].nunique() > 1 and int(counts.max()) == 1:
        return f"Each is of another class: {names}."
    if len(leaders) > 1:
        return f"The most frequent classes are {names}, with {int(counts.max())} each."
    return f"The most frequent class is {names}, with {int(counts.max())} of {len(fields)}."


def _named_sentence(result: BatchResult, fields: pd.DataFrame) -> str:
    """Return how often a network of several labels names each class."""
    counts = fields[NAMED].map(words_of).explode().dropna().value_counts()
    named = ", ".join(f"{escape(class_title(result, str(n)))} in {k}" for n, k in counts.items())
    return (
        "Several classes may be true of one micrograph, or none. Above the network’s threshold: "
        f"{named or 'none'} of {len(fields)}."
    )


def _doubts(fields: pd.DataFrame) -> list[str]:
    doubtful = int((_sizes_of_sets(fields) > 1).sum())
    if not doubtful:
        return []
    verb = "has" if doubtful == 1 else "have"
    return [f"{_count(doubtful, 'micrograph')} {verb} more than one candidate class."]


def _sizes_of_sets(fields: pd.DataFrame) -> pd.Series[int]:
    return fields["candidates"].map(lambda cell: len(words_of(cell)))


def _area(result: BatchResult, fields: pd.DataFrame) -> str:
    value = mean_interval(fields["target_percent"].to_numpy(float))
    what = f"The target, {target_title(result.recipe)}, covers {percent(value.estimate)}"
    if value.n < 2:
        return f"{what} of the specimen area."
    low, high = max(value.low, 0.0), min(value.high, 100.0)
    return (
        f"{what} of the specimen area on average (95 % confidence interval {low:.1f} to "
        f"{high:.1f} %, n = {value.n} fields)."
    )


def trust_facts(result: BatchResult) -> dict[str, str]:
    """Return what is known about how far the answers of this batch can be trusted, not escaped."""
    fields, model = result.fields, result.model
    sure = int((_sizes_of_sets(fields) <= 1).sum())
    facts = {"One candidate class": f"{sure} of {len(fields)} fields of view"}
    level = result.recipe.conformal_level or model["calibration"].get("conformal_level")
    if level:
        facts["Prediction sets"] = (
            f"are made to hold the true class in {100 * level:.0f} % of micrographs that are like "
            "those the network was calibrated on"
        )
    calibrated = "temperature" in model["calibration"]
    facts["Probabilities"] = (
        "temperature-scaled on held-out micrographs"
        if calibrated
        else "not calibrated: read them as a ranking"
    )
    novel = fields["novelty"].notna()
    if novel.any():
        count = sum("novel" in words_of(text) for text in fields["warnings"])
        facts["Unlike the training micrographs"] = f"{count} of {len(fields)}"
    else:
        facts["Unlike the training micrographs"] = "not measured with this model"
    facts["No evidence shown"] = f"{int((~fields['has_evidence'].astype(bool)).sum())}"
    record = model["metrics"]
    if record.get("balanced_accuracy") is not None:
        limits = record.get("balanced_accuracy_interval_95")
        inside = f" ({100 * limits[0]:.0f}–{100 * limits[1]:.0f} %)" if limits else ""
        facts["On held-out micrographs"] = (
            f"balanced accuracy {100 * record['balanced_accuracy']:.0f} %{inside} over "
            f"{record.get('pictures', '?')} micrographs of {len(model['classes'])} classes"
        )
    else:
        facts["On held-out micrographs"] = "the model's card states no accuracy"
    return facts


def methods(result: BatchResult) -> str:
    """Return a paragraph that a paper can use, with every parameter."""
    recipe, model = result.recipe, result.model
    classes = ", ".join(escape(class_title(result, name)) for name in model["classes"])
    method = model["explanation"]
    return " ".join(
        (
            f"Micrographs were analysed with Micrographia {list_versions()['micrographia']}. "
            f"{_seen(model)} classified by the network {escape(model['name'])} "
            f"({escape(model['architecture'])}, weights SHA-256 {escape(model['sha256'][:16])}…) "
            f"as one of: {classes}. {_certainty(result)}Evidence for {_explained(result)} was "
            f"mapped by {escape(method['title'])} ({escape(method['reference'])}) on "
            f"{_layer(recipe)} and scaled to its own maximum in each micrograph.",
            _exclusion(recipe),
            escape(sizing.describe(recipe)),
            _filters(recipe),
            f"{_phases(recipe)}; the target was {target_title(recipe)}. "
            f"{decisions(recipe)}Connected regions of the target with at least "
            f"{'that size' if recipe.decided else smallest_region(recipe)} "
            f"({region_rules(recipe)}; regions cut by the frame are "
            f"{'left out' if recipe.drop_border_regions else 'included'}, as are those that what "
            "was left out of it cuts) "
            f"were measured{_limits(recipe)}; the equivalent diameter is that of the circle of the "
            f"same area, and means of it are by number{_sizes_by(recipe)}. "
            f"{further_methods(recipe)}"
            "Area fractions refer to the specimen area of a field "
            "and are given as means over fields with 95 % t-intervals (Student 1908, "
            f"doi:10.2307/2331554), {_compared(result)}class shares with Wilson intervals "
            "(Wilson 1927, doi:10.1080/01621459.1927.10502953).",
        )
    )


def _compared(result: BatchResult) -> str:
    """Return how samples were compared; empty with fewer than two."""
    names = result.fields["sample"].fillna("")
    if names[names != ""].nunique() < 2:
        return ""
    return (
        "samples are compared with fields as the units by Welch's interval (Welch 1947, "
        "doi:10.1093/biomet/34.1-2.28) and the rank test of Mann and Whitney (1947, "
        "doi:10.1214/aoms/1177730491), held for all comparisons together (Holm 1979), "
    )


def _seen(model: Mapping[str, Any]) -> str:
    return "Each whole frame was" if model["sees_whole_frames"] else "Each frame's centre was"


def _certainty(result: BatchResult) -> str:
    calibration = result.model["calibration"]
    said = ""
    if "temperature" in calibration:
        said = "Probabilities were temperature-scaled (Guo et al. 2017, arXiv:1706.04599). "
    level = result.recipe.conformal_level or calibration.get("conformal_level")
    if level:
        said += (
            f"Prediction sets are conformal at the level of {100 * level:.0f} % (Sadinle et al. "
            "2019, doi:10.1080/01621459.2017.1395341). "
        )
    return said


def _explained(result: BatchResult) -> str:
    name = result.recipe.explained_class
    return (
        "the predicted class" if name is None else f"the class {escape(class_title(result, name))}"
    )


def _layer(recipe: Recipe) -> str:
    return (
        "the last activation map" if recipe.layer is None else f"the layer {escape(recipe.layer)}"
    )


def _exclusion(recipe: Recipe) -> str:
    if recipe.exclude_overlays:
        return (
            "Info bars, scale bars and burned-in text were detected and excluded from the "
            "network's input, clustering and area fractions."
        )
    return "Whole frames were used, with any info bar or burned-in text in them."


def _filters(recipe: Recipe) -> str:
    if not recipe.filters:
        return "No filter was applied."
    steps = ", then ".join(
        f"{escape(step)} [{escape(step.spec.reference)}]" if step.spec.reference else escape(step)
        for step in recipe.filters
    )
    return (
        f"Before clustering and measuring, micrographs were filtered: {steps}. "
        f"{_picked(recipe)}"
        "The network saw them unfiltered."
    )


def _picked(recipe: Recipe) -> str:
    """Return in words what steps left to each picture; empty where they left nothing."""
    titles = [
        step.spec.title
        for step in recipe.filters
        if step.spec.picks is not None and "auto" in step.parameters.values()
    ]
    if not titles:
        return ""
    return (
        f"Whether the ground is dark or bright was picked in each micrograph by itself "
        f"({escape(', '.join(dict.fromkeys(titles)))}; filters_picked in the table). "
    )


def _phases(recipe: Recipe) -> str:
    """Return how the frame was divided, for the middle of a sentence."""
    if recipe.segmentation.way != CLUSTERS:
        return escape(recipe.segmentation.describe().removesuffix("."))
    return (
        f"In each micrograph by itself, {_grouping(recipe)}, numbered from dark to bright"
        f"{_smoothing(recipe)}"
    )


def _grouping(recipe: Recipe) -> str:
    if recipe.clustering == GREY:
        levels = "grey levels" if recipe.filters else "native grey levels"
        return (
            f"{levels} were grouped into {recipe.clusters} clusters by exact "
            "one-dimensional k-means (Wang and Song 2011, doi:10.32614/RJ-2011-015)"
        )
    features = recipe.features
    scales = ", ".join(f"{scale:g}" for scale in features.scales_px)
    weighed = f", position weighed {features.position_weight:g}" if features.position else ""
    how = (
        "a mixture of Gaussians (Dempster et al. 1977)"
        if recipe.clustering == "mixture"
        else "k-means (Arthur and Vassilvitskii 2007)"
    )
    return (
        f"pixels were grouped into {recipe.clusters} clusters by {how}, seed "
        f"{recipe.cluster_seed}, on standardised features ({', '.join(features.chosen)}; scales "
        f"{scales} px, texture window {features.window_px} px{weighed})"
    )


def _smoothing(recipe: Recipe) -> str:
    kind = recipe.smoothing.kind
    if kind == "majority":
        return f" and smoothed by the majority within {recipe.smoothing.radius_px} px"
    if kind == "superpixels":
        return (
            f" and made whole within superpixels of about {recipe.smoothing.side_px} px (SLIC, "
            "Achanta et al. 2012, doi:10.1109/TPAMI.2012.120)"
        )
    if kind == GREYS:
        return f", after greys were averaged by a Gaussian of σ = {recipe.smoothing.sigma_px:g} px"
    return ", after greys were averaged as far as noise asks for it" if kind == AUTO else ""


def decisions(recipe: Recipe) -> str:
    """Return what was decided for each sample where the recipe left it to the pictures."""
    if not (recipe.leaves_open and recipe.decided):
        return ""
    shown = "; ".join(_decision(each, recipe) for each in recipe.decided[:_MOST_DECISIONS])
    rest = len(recipe.decided) - _MOST_DECISIONS
    more = f"; for {rest} more samples see recipe.json" if rest > 0 else ""
    once = "once per sample" if len(recipe.decided) > 1 else "once for all frames"
    return f"What the pictures ask for was decided {once}: {shown}{more}. "


def _decision(found: Decision, recipe: Recipe) -> str:
    parts = []
    if recipe.target_cluster is None:
        seen = f" (it stands out in {found.agreeing} of {found.frames} frames looked at)"
        parts.append(f"cluster {found.target_cluster} measured{seen if found.frames else ''}")
    if recipe.smoothing.kind == AUTO:
        greys = f"greys averaged over σ = {found.smoothing.sigma_px:g} px against noise"
        parts.append(greys if found.smoothing.kind == GREYS else "clusters as found")
    across = found.smallest_region_nm
    parts.append(
        f"regions from {found.smallest_region_px} px"
        if across is None
        else f"regions from {across:.3g} nm across"
    )
    name = f"{escape(found.sample)}: " if found.sample else ""
    return name + ", ".join(parts)


def smallest_region(recipe: Recipe) -> str:
    """Return from which size on a region is one, in words."""
    if recipe.smallest_region_nm is not None:
        nm = f"{recipe.smallest_region_nm:.3g} nm across"
        return f"{nm} (where the scale is unknown {recipe.smallest_region_px} px)"
    return f"{recipe.smallest_region_px} px"


def _limits(recipe: Recipe) -> str:
    """Return which regions are measured by their size and shape; empty where all are."""
    limits, parts = recipe.region_limits, []
    if limits.diameter_nm is not None or limits.diameter_px is not None:
        most = f"{limits.diameter_nm:g} nm" if limits.diameter_nm else f"{limits.diameter_px:g} px"
        parts.append(f"an equivalent diameter up to {most}")
    if (limits.least_circularity, limits.most_circularity) != (0, 1):
        low, high = limits.least_circularity, limits.most_circularity
        parts.append(f"a circularity from {low:g} to {high:g}")
    if limits.least_aspect_ratio > 1 or limits.most_aspect_ratio is not None:
        end = f" to {limits.most_aspect_ratio:g}" if limits.most_aspect_ratio else ""
        parts.append(f"an aspect ratio from {limits.least_aspect_ratio:g}{end}")
    return f" if they have {', '.join(parts)}" if parts else ""


def clustering(recipe: Recipe) -> str:
    """Return how pixels are grouped, in a few words."""
    if recipe.segmentation.way != CLUSTERS:
        return f"phases by {recipe.segmentation.way}"
    titles = {GREY: "grey level", "mixture": "a mixture over features"}
    smoothed = {
        "majority": ", neighbours vote",
        "superpixels": ", superpixels whole",
        GREYS: ", averaged",
        AUTO: ", averaged as far as noise asks",
    }
    by = titles.get(recipe.clustering, recipe.clustering)
    return f"by {by}{smoothed.get(recipe.smoothing.kind, '')}"


def _count(value: int, noun: str) -> str:
    return f"{value} {noun}" if value == 1 else f"{value} {noun}s"


_FURTHER = {
    "widths": "Widths are those along the medial axis away from crossings and ends, thickness that "
    "of the largest disc (Hildebrand and Rüegsegger 1997, doi:10.1046/j.1365-2818.1997."
    "1340694.x), order is the mean of cos 2θ around the main direction.",
    "between": "Widths of what lies between the target's pieces are taken in the same way.",
    "grains": "Mean intercepts of the regions and the grain size number G follow ASTM E112 (Heyn) "
    "along lines in four directions.",
    "boundaries": "The target was taken for boundaries; intercepts and the grain size number G of "
    "the grains between follow ASTM E112 (Heyn) along lines in four directions.",
    "gaps": "Gaps are from edge to edge of the nearest region, their median by Kaplan and Meier "
    "(1958) where the frame may hide a nearer one; the index of Clark and Evans (1954, "
    "doi:10.2307/1931034) is corrected for the frame (Donnelly 1978).",
    "correlation": "The correlation length is where the two-point correlation of the target has "
    "fallen to 1/e; fields needed follow from its integral range (Lantuéjoul 1991, "
    "doi:10.1111/j.1365-2818.1991.tb03099.x).",
}


def _sizes_by(recipe: Recipe) -> str:
    """Return in words what percentiles are by, where that is not the number."""
    if recipe.sizes_by == "number":
        return ""
    of = " of spheres of these diameters" if recipe.sizes_by == "volume" else ""
    return f", percentiles by {recipe.sizes_by}{of}"


def percentiles_meant(recipe: Recipe) -> str:
    """Return in words what D10, D50, D90, D[3,2] and D[4,3] are."""
    of = {
        "number": "of the regions",
        "area": "of the area of all regions",
        "volume": "of the volume of all regions, as spheres,",
    }[recipe.sizes_by]
    cut = (
        " Each counts for those of its size that are cut (Miles and Lantuéjoul)."
        if recipe.drop_border_regions
        else ""
    )
    return (
        f"D10, D50 and D90: 10, 50 and 90 % {of} are in smaller ones (by {recipe.sizes_by}). "
        "D[3,2] is Sauter's mean diameter (volume by surface), D[4,3] De Brouckere's (by volume), "
        f"ISO 9276-2.{cut}"
    )


def further_methods(recipe: Recipe) -> str:
    """Return in words how further measurements were made; empty without any."""
    return "".join(f"{_FURTHER[name]} " for name in recipe.measures)


def region_rules(recipe: Recipe) -> str:
    """Return in words what makes a region: neighbours, holes, necks."""
    diagonal = "count" if recipe.connectivity == 8 else "do not count"
    rules = [f"diagonal neighbours {diagonal} as connected"]
    rules += ["holes are filled"] if recipe.fill_holes else []
    if recipe.split_regions:
        rules += [f"touching ones are split at necks at least {recipe.neck_depth_px:g} px deep"]
    return ", ".join(rules)
