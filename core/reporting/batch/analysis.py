"""One micrograph x Recipe -> its row, its regions and its pictures."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.display import png_bytes, save_npy_bytes
from core.imaging.overlays import find_overlays
from core.imaging.scale import words
from core.measuring.attribution import attribution_share
from core.measuring.clustering import (
    AUTO,
    GREY,
    GREYS,
    Clustering,
    group_pixels,
)
from core.measuring.defaults import area_of
from core.measuring.exchange import region_files
from core.measuring.regions import filter_regions, label_regions, measure_labels
from core.micrograph import Micrograph
from core.reporting.batch.keeping.pictures import Preview, Shown
from core.reporting.batch.rows import likeness, measures, sizes
from core.reporting.batch.rows.listing import NAMED, SIGNS
from core.reporting.batch.rows.naming import find_part, find_sample
from core.reporting.mending import Mended, mend
from core.reporting.recipe import Recipe
from core.reporting.segmenting import CLUSTERS, Phases, find_phases
from core.reporting.settling import CLUSTERINGS, settled, uncounted

if TYPE_CHECKING:  # only names of types: a batch that has not started needs no torch
    from core.learning.classifying import Classification
    from core.learning.explaining import Explanation

_LONGEST_INSTRUMENT = 120
_GREY_BYTES_PER_PX, _BYTES_PER_PX = 20, 80  # measured: grey levels alone; features or filters
_AVERAGED_BYTES_PER_PX = 40  # grey levels and four frames of 32-bit floats
AREAS_PX = ("area_px", "hole_area_px")
LENGTHS_PX = (
    "equivalent_diameter_px",
    "perimeter_px",
    "feret_max_px",
    "feret_min_px",
    "nearest_neighbour_px",
)
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """All that a batch keeps of one micrograph.

    Attributes
    ----------
    values : dict
        Columns of its row, except for number, name and status.
    regions : DataFrame
        One line per region of the target cluster; lengths in px and nm, areas in px and µm².
    pictures : dict of str to bytes
        Those that the recipe asks for: "overlays" (the heat map over the micrograph, a PNG of at
        most 1024 px), "masks" (the target cluster at full size, 0 or 255), "maps" (the heat map
        at full size, an NPY of float32), and those of `core.measuring.exchange.region_files`.
    preview : Preview or None
        None where nobody asked for it.
    likeness : str
        What `core.reporting.batch.rows.likeness` compares, as base64.
    """

    values: dict[str, Any]
    regions: pd.DataFrame
    pictures: dict[str, bytes]
    preview: Preview | None
    likeness: str


def analyse(
    micrograph: Micrograph,
    exclude: Mask | None,
    classification: Classification,
    explanation: Explanation,
    recipe: Recipe,
    path: str = "",
    others: Mapping[str, Micrograph] | None = None,
    is_shown: bool = True,
) -> Analysis:
    """Return the row, regions and pictures of a micrograph that the network has answered.

    The recipe's filters act on what is clustered and measured here; the network saw the
    micrograph as it was recorded. `path` is its name with its folders, for sample and class;
    `others` holds by their digest the micrographs that filters need besides; small pictures are
    made of those that are shown in the report.
    """
    filtered = recipe.pipeline(micrograph, exclude=exclude, others=others)
    hidden = uncounted(micrograph, exclude)
    names = name_parts(micrograph, recipe, path)
    recipe = settled(recipe, names["sample"], filtered, hidden)
    clustering = find_clusters(filtered, hidden, recipe, others)
    target: Mask = clustering.labels == recipe.target
    numbers = number_regions(clustering, target, micrograph, recipe, hidden)
    mended = mend(numbers, micrograph, hidden, recipe.segmentation.edits)
    if mended is not None:
        numbers, target = mended.labels, mended.labels > 0
    regions = tabulate_regions(target, micrograph, recipe, hidden, numbers=numbers)
    if recipe.drop_border_regions:
        regions = regions[~regions["touches_border"]].reset_index(drop=True)
    values = {
        **names,
        **_network_values(classification, explanation),
        **_area_values(clustering, target, micrograph, recipe),
        **_evidence_values(explanation, clustering),
        **_region_values(regions),
        **sizes.size_values(
            regions,
            recipe,
            micrograph.pixel_size.to("nm") if micrograph.pixel_size else float("nan"),
        ),
        **measures.measure_more(
            target,
            hidden,
            regions,
            recipe,
            micrograph.pixel_size.to("nm") if micrograph.pixel_size else float("nan"),
            **_region_choice(recipe, micrograph, hidden),
        ),
        **(_mended_values(mended, target, hidden) if mended is not None else {}),
        **(clustering.values if isinstance(clustering, Phases) else {}),
        "filters_picked": "; ".join(filtered.metadata.get("picked", ())),
        **_micrograph_values(micrograph, hidden),
    }
    painted = exclude if exclude is not None else find_overlays(micrograph)
    shown = Shown(micrograph, explanation.heatmap, clustering, painted, target)
    drawers: dict[str, Callable[[], bytes]] = {
        "overlays": shown.overlay_png,
        "masks": lambda: png_bytes(target.astype(np.uint8) * np.uint8(255)),
        "maps": lambda: save_npy_bytes(explanation.heatmap),
    }
    drawers |= region_files(
        micrograph,
        lambda: numbers,
        regions,
        _phase_name(recipe),
    )
    pictures: dict[str, bytes] = {name: drawers[name]() for name in recipe.pictures}
    alike = base64.b64encode(likeness.describe(shown.picture).tobytes()).decode()
    preview = shown.preview() if is_shown else None
    return Analysis(values, regions, pictures, preview, alike)


def name_parts(micrograph: Micrograph, recipe: Recipe, path: str) -> dict[str, str]:
    """Return the columns that depend on where a file lies and not on what it shows."""
    path = path or micrograph.name
    return {
        "sample": find_sample(recipe, micrograph, path),
        "stated_label": find_part(recipe.label_from, micrograph, path),
        "pixel_size_source": pixel_size_source(micrograph),
    }


def work_bytes(pixels: int, recipe: Recipe) -> int:
    """Return how much memory `analyse` takes for so many pixels, beside what it was given."""
    if recipe.clustering != GREY or recipe.filters or recipe.measures:
        return pixels * _BYTES_PER_PX
    is_averaged = recipe.smoothing.kind in (AUTO, GREYS)
    return pixels * (_AVERAGED_BYTES_PER_PX if is_averaged else _GREY_BYTES_PER_PX)


def find_clusters(
    micrograph: Micrograph,
    exclude: Mask | None,
    recipe: Recipe,
    others: Mapping[str, Micrograph] | None = None,
) -> Clustering | Phases:
    """Return the clusters that a recipe asks for, or the phases that take their place."""
    if recipe.segmentation.way != CLUSTERS:
        return find_phases(micrograph, exclude, recipe, others)
    return group_pixels(
        micrograph,
        recipe.clusters,
        CLUSTERINGS[recipe.clustering],
        exclude=exclude,
        features=recipe.features,
        seed=recipe.cluster_seed,
        smoothing=recipe.smoothing,
    )


def smallest_area_px(recipe: Recipe, micrograph: Micrograph) -> int:
    """Return the area of the smallest region, from its length where that and the scale are known.

    A recipe that leaves nothing open measures as it says.
    """
    if recipe.smallest_region_nm is None or micrograph.pixel_size is None:
        return recipe.smallest_region_px
    return area_of(recipe.smallest_region_nm / micrograph.pixel_size.to("nm"))


def check_choices(recipe: Recipe) -> None:
    """Refuse a way of clustering that does not exist, before the work begins.

    Raises
    ------
    UserError
    """
    if recipe.clustering not in CLUSTERINGS:
        raise UserError(
            f"There is no clustering {recipe.clustering!r}. Choose one of {', '.join(CLUSTERINGS)}."
        )


def number_regions(
    clustering: Clustering | Phases,
    target: Mask,
    micrograph: Micrograph,
    recipe: Recipe,
    hidden: Mask | None,
) -> NDArray[np.int32]:
    """Return the regions of the target, numbered: its objects, where these were found as such."""
    if isinstance(clustering, Phases) and clustering.objects is not None and recipe.target == 0:
        return clustering.objects
    return label_regions(target, **_region_choice(recipe, micrograph, hidden))


def _phase_name(recipe: Recipe) -> str:
    if recipe.segmentation.way == CLUSTERS:
        return f"cluster {recipe.target}"
    return recipe.segmentation.names[recipe.target]


def _network_values(classification: Classification, explanation: Explanation) -> dict[str, Any]:
    # Six digits: what lies beyond depends on how micrographs share a pass through the network.
    said = {
        "novelty": classification.novelty,
        SIGNS: "; ".join(classification.signs),
        "has_evidence": explanation.has_evidence,
    }
    if classification.shows_nothing:  # whatever the network answers is no answer
        return {"label": "", "runner_up": "", "candidates": []} | said
    several = {} if classification.present_above is None else {NAMED: list(classification.present)}
    return {
        "label": classification.label,
        "probability": round(classification.probability, 6),
        "runner_up": classification.runner_up,
        "runner_up_probability": round(classification.runner_up_probability, 6),
        "candidates": list(classification.prediction_set),
        **{f"p_{name}": round(p, 6) for name, p in classification.probabilities.items()},
        **several,
        **said,
    }


def _area_values(
    clustering: Clustering | Phases, target: Mask, micrograph: Micrograph, recipe: Recipe
) -> dict[str, Any]:
    area_px = int(np.count_nonzero(target))
    nm = micrograph.pixel_size.to("nm") if micrograph.pixel_size else float("nan")
    percents = [round(100 * float(share), 6) for share in clustering.fractions]
    return {
        **{f"cluster_{number}_percent": value for number, value in enumerate(percents)},
        "target_cluster": recipe.target,
        "target_percent": percents[recipe.target],
        "target_area_px": area_px,
        "target_area_µm2": area_px * nm**2 / 1e6,
        "smoothing": describe_smoothing(recipe),
        "smallest_region_px": smallest_area_px(recipe, micrograph),
    }


def _mended_values(mended: Mended, target: Mask, hidden: Mask | None) -> dict[str, Any]:
    """Return what a hand changed, and the share that is covered after that."""
    counted = target.size if hidden is None else np.count_nonzero(~hidden)
    percent = 100 * np.count_nonzero(target) / max(1, counted)
    return {**mended.values, "target_percent": round(percent, 6)}


def describe_smoothing(recipe: Recipe) -> str:
    """Return how clusters were made to hang together, as short as a cell of a table."""
    chosen = recipe.smoothing
    sizes = {
        "majority": f" {chosen.radius_px} px",
        "superpixels": f" {chosen.side_px} px",
        "greys": f" {chosen.sigma_px:g} px",
    }
    return chosen.kind + sizes.get(chosen.kind, "")


def _evidence_values(explanation: Explanation, clustering: Clustering | Phases) -> dict[str, Any]:
    """Return which share of the evidence falls in each cluster; NaN where there is none."""
    shares = attribution_share(explanation, clustering)["evidence_share"]
    return {f"cluster_{n}_evidence_percent": round(100 * float(v), 4) for n, v in enumerate(shares)}


def _region_values(regions: pd.DataFrame) -> dict[str, Any]:
    values: dict[str, Any] = {"regions": len(regions)}
    for unit in ("px", "nm"):
        diameters = regions[f"equivalent_diameter_{unit}"]
        values[f"mean_diameter_{unit}"] = float(diameters.mean()) if len(regions) else np.nan
        values[f"median_diameter_{unit}"] = float(diameters.median()) if len(regions) else np.nan
    return values


def _micrograph_values(micrograph: Micrograph, exclude: Mask | None) -> dict[str, Any]:
    size = micrograph.pixel_size
    excluded = 0.0 if exclude is None else float(np.mean(exclude))
    return {
        "excluded_percent": round(100 * excluded, 6),
        "pixel_size_nm": size.to("nm") if size else np.nan,
        "width_px": micrograph.shape[1],
        "height_px": micrograph.shape[0],
        "depth": micrograph.depth,
        "instrument": _instrument(micrograph),
        "sha256": micrograph.sha256,
    }


def _instrument(micrograph: Micrograph) -> str:
    told = words.describe_instrument(micrograph)
    known = (told.get(name, "") for name in ("Microscope", "Voltage"))
    return ", ".join(" ".join(each.split()) for each in known if each)[:_LONGEST_INSTRUMENT]


def pixel_size_source(micrograph: Micrograph) -> str:
    """Return who states the pixel size ("set by hand" for a person), or why there is none."""
    stated = str(micrograph.metadata.get("calibration", ""))
    return stated or ("stated by the file" if micrograph.pixel_size else "")


def tabulate_regions(
    mask: Mask,
    micrograph: Micrograph,
    recipe: Recipe,
    uncounted: Mask | None = None,
    *,
    numbers: NDArray[np.int32] | None = None,
) -> pd.DataFrame:
    """Return regions measured in px, with nm and µm² beside them: one unit system per batch.

    What does not count cuts the regions beside it. Where their numbers are at hand, the mask is
    not numbered again.
    """
    if numbers is None:
        numbers = label_regions(mask, **_region_choice(recipe, micrograph, uncounted))
    included = None if uncounted is None else ~uncounted
    regions = measure_labels(numbers, None, micrograph, included=included)
    nm = micrograph.pixel_size.to("nm") if micrograph.pixel_size else float("nan")
    columns: dict[str, Any] = {}
    for name in map(str, regions.columns):
        columns[name] = regions[name]
        if name in AREAS_PX:
            columns[name.removesuffix("px") + "µm2"] = regions[name] * nm**2 / 1e6
        elif name in LENGTHS_PX:
            columns[name.removesuffix("px") + "nm"] = regions[name] * nm
    limits = recipe.region_limits.columns("px", nm if micrograph.pixel_size else None)
    return filter_regions(pd.DataFrame(columns), **limits)


def _region_choice(
    recipe: Recipe, micrograph: Micrograph, uncounted: Mask | None
) -> dict[str, Any]:
    """Return what makes a region, as `label_regions` and `measure_regions` take it."""
    return {
        "included": None if uncounted is None else ~uncounted,
        "min_area_px": smallest_area_px(recipe, micrograph),
        "split": recipe.split_regions,
        "connectivity": recipe.connectivity,
        "neck_depth_px": recipe.neck_depth_px,
        "fill_holes": recipe.fill_holes,
    }


def list_columns(classes: Sequence[str], clusters: int) -> list[str]:
    """Return the columns that every batch has for these classes and this number of clusters."""
    return [
        *("sample", "stated_label"),
        *("label", "probability", "runner_up", "runner_up_probability", "candidates", "novelty"),
        *(SIGNS, "has_evidence"),
        *(f"p_{name}" for name in classes),
        *(f"cluster_{number}_percent" for number in range(clusters)),
        *("target_cluster", "target_percent", "target_area_px", "target_area_µm2"),
        *("smoothing", "smallest_region_px"),
        *(f"cluster_{number}_evidence_percent" for number in range(clusters)),
        *("regions", "mean_diameter_px", "median_diameter_px"),
        *("mean_diameter_nm", "median_diameter_nm"),
        *sizes.list_sizes(),
        "filters_picked",
        *("excluded_percent", "pixel_size_nm", "pixel_size_source"),
        *("width_px", "height_px", "depth", "instrument", "sha256"),
    ]
