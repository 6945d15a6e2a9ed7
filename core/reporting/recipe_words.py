"""What a recipe does, in words for the Methods paragraph, the report and the page, as HTML."""

from __future__ import annotations

from core.imaging.scale import reading_unit
from core.measuring.clustering import AUTO, GREY, GREYS
from core.reporting.decisions import Decision
from core.reporting.escaping import escape
from core.reporting.recipe import Recipe
from core.reporting.segmenting import CLUSTERS

_MOST_DECISIONS = 12
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


def layer(recipe: Recipe) -> str:
    """Return which layer was explained."""
    return (
        "the last activation map" if recipe.layer is None else f"the layer {escape(recipe.layer)}"
    )


def exclusion(recipe: Recipe) -> str:
    """Return what was left out of the frame."""
    if recipe.exclude_overlays:
        return (
            "Info bars, scale bars and burned-in text were detected and excluded from the "
            "network's input, clustering and area fractions."
        )
    return "Whole frames were used, with any info bar or burned-in text in them."


def filters(recipe: Recipe) -> str:
    """Return which filters acted before anything was measured."""
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


def phases(recipe: Recipe) -> str:
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
        else f"regions from {_across(across)}"
    )
    name = f"{escape(found.sample)}: " if found.sample else ""
    return name + ", ".join(parts)


def smallest_region(recipe: Recipe) -> str:
    """Return from which size on a region is one, in words."""
    if recipe.smallest_region_nm is not None:
        across = _across(recipe.smallest_region_nm)
        return f"{across} (where the scale is unknown {recipe.smallest_region_px} px)"
    return f"{recipe.smallest_region_px} px"


def _across(length_nm: float) -> str:
    unit, factor = reading_unit(length_nm)
    return f"{length_nm / factor:.3g} {unit} across"


def region_limits(recipe: Recipe) -> str:
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


def sizes_by(recipe: Recipe) -> str:
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
