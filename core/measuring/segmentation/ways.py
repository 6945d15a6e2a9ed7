"""The ways to a segmentation: clusters, a chain of filters, strokes, a network, a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering import Pipeline
from core.measuring.clustering import Clustering, counted_pixels
from core.measuring.defaults import NECK_DEPTH_PX
from core.measuring.exchange import ReadLabels, read_labels, read_rois
from core.measuring.regions import label_regions
from core.measuring.segmentation.result import (
    GROUND,
    OBJECTS,
    PHASES,
    Mask,
    Origin,
    Segmentation,
    name_phases,
)
from core.measuring.segmentation.standing_out import are_dark
from core.measuring.strokes import PixelClassifier, PixelMaps
from core.micrograph import Micrograph

_MOST_CLASSES = 5  # the multi-level threshold makes at most so many
_NO_THRESHOLD = (
    "The chain does not end in a threshold, so it tells no phases apart. Add Otsu or another "
    "threshold as its last step."
)
_ROI_ENDINGS = (".zip", ".roi")


def from_clusters(
    clustering: Clustering,
    named: Mapping[int, str],
    micrograph: Micrograph,
    parameters: Mapping[str, Any] | None = None,
) -> Segmentation:
    """Return phases made of clusters: those of one name are merged.

    Parameters
    ----------
    clustering : Clustering
    named : mapping of int to str
        Cluster to the name of its phase; clusters without a name are "ground", the last phase.
    micrograph : Micrograph
    parameters : mapping, optional
        What made the clusters.

    Raises
    ------
    UserError
        If no cluster has a name.
    """
    names = list(dict.fromkeys(named[n] for n in sorted(named)))
    if not names:
        raise UserError("Name at least one cluster: it is the phase that is measured.")
    if len(named) < clustering.k:
        names = [*(n for n in names if n != GROUND), GROUND]
    numbers = np.zeros(clustering.k + 1, np.int32)  # the last one is that of -1: left out
    for cluster in range(clustering.k):
        numbers[cluster] = 1 + names.index(named.get(cluster, GROUND))
    said = {"clusters": clustering.k, "named": dict(named), **(parameters or {})}
    return Segmentation(
        numbers[clustering.labels],
        name_phases(names),
        PHASES,
        Origin("clusters", said, (micrograph.sha256,)),
        np.asarray(clustering.labels >= 0),
    )


def name_clusters(k: int, names: Sequence[str]) -> dict[int, str]:
    """Return the name of each of `k` clusters that is a phase; the ground has none.

    Clusters beyond the names are called by their numbers.
    """
    named = {n: name for n, name in enumerate(names[:k]) if name != GROUND}
    return named | {n: f"cluster {n}" for n in range(len(names), k)}


def from_chain(
    micrograph: Micrograph,
    chain: Pipeline,
    *,
    exclude: Mask | None = None,
    others: Mapping[str, Micrograph] | None = None,
    dark: bool | None = None,
    name: str = "phase",
) -> Segmentation:
    """Return what a chain of filters that ends in a threshold tells apart.

    Parameters
    ----------
    micrograph : Micrograph
    chain : Pipeline
    exclude : ndarray of shape (H, W), bool, optional
    others : mapping, optional
        Pictures that filters need besides, by digest.
    dark : bool, optional
        The phase is what lies below the threshold (of several classes the darkest), or above it.
        By default the side of the objects, see `are_dark`.
    name : str
        Of the phase.

    Raises
    ------
    UserError
        If the chain does not end in a threshold or in what cleans its mask.
    """
    found = chain(micrograph, exclude=exclude, others=others or {})
    if not chain.steps:
        raise UserError(_NO_THRESHOLD)
    made = from_classes(found, micrograph, exclude=exclude, dark=dark, name=name)
    said = {"chain": chain.to_json(), **made.origin.parameters}
    return replace(made, origin=Origin("chain", said, (micrograph.sha256,)))


def from_classes(
    found: Micrograph,
    micrograph: Micrograph,
    *,
    exclude: Mask | None = None,
    dark: bool | None = None,
    name: str = "phase",
) -> Segmentation:
    """Return the phase and its ground of what a threshold has made of a micrograph.

    Parameters
    ----------
    found : Micrograph
        Holds at most five grey levels.
    micrograph, exclude, dark, name
        As in `from_chain`.

    Raises
    ------
    UserError
        If it holds more.
    """
    classes = found.pixels
    if not _holds_classes(classes):
        raise UserError(_NO_THRESHOLD)
    counted = counted_pixels(micrograph.pixels, exclude)
    included = np.ones(classes.shape, np.bool_) if counted is None else counted
    bright = (classes == classes.max()) & (classes > classes.min())
    if dark is None:
        dark = are_dark(bright, np.asarray(included), micrograph.pixels)
    phase = (classes == classes.min()) & (classes < classes.max()) if dark else bright
    labels = np.where(included, np.where(phase, 1, 2), 0).astype(np.int32)
    names = [name, GROUND if name != GROUND else "rest"]
    origin = Origin("chain", {"dark": bool(dark)}, (micrograph.sha256,))
    return Segmentation(labels, name_phases(names), PHASES, origin, np.asarray(included))


def _holds_classes(found: NDArray[Any]) -> bool:
    """Tell whether a picture holds a few classes, as thresholds make them."""
    if len(np.unique(found[:: max(1, found.shape[0] // 64)])) > _MOST_CLASSES:
        return False
    return len(np.unique(found)) <= _MOST_CLASSES


def from_strokes(
    classifier: PixelClassifier,
    micrograph: Micrograph,
    names: Sequence[str],
    *,
    exclude: Mask | None = None,
    described: PixelMaps | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> tuple[Segmentation, NDArray[np.float32]]:
    """Return the phases that strokes taught, and how probable each is in every pixel.

    Parameters
    ----------
    classifier : PixelClassifier
    micrograph : Micrograph
    names : sequence of str
        Of the phases, in the order of their numbers.
    exclude : ndarray of shape (H, W), bool, optional
    described : PixelMaps, optional
        Of the micrograph, where they are at hand.
    parameters : mapping, optional
        Strokes, seed and what else made the classifier.
    """
    labels, probabilities = classifier.apply(micrograph, exclude, described=described)
    called = [*names, *(f"phase {n + 1}" for n in range(len(names), classifier.phases))]
    digests = tuple(dict.fromkeys((micrograph.sha256, *classifier.painted)))
    found = Segmentation(
        labels.astype(np.int32),
        name_phases(called[: classifier.phases]),
        PHASES,
        Origin("strokes", dict(parameters or {}), digests),
        np.asarray(labels > 0),
    )
    return found, probabilities


def from_objects(
    labels: NDArray[np.integer[Any]],
    micrograph: Micrograph,
    *,
    way: str = "particles",
    name: str = "particle",
    exclude: Mask | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Segmentation:
    """Return numbered objects that something else found, such as a network.

    Numbers without a pixel that counts are closed up.

    Raises
    ------
    ValueError
        If the labels do not have the micrograph's shape, or are negative.
    """
    if labels.shape != micrograph.shape or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(f"labels must be numbers from 0 of shape {micrograph.shape}")
    included = np.ones(labels.shape, np.bool_) if exclude is None else ~exclude
    kept = np.where(included, labels, 0)
    numbers, places = np.unique(kept, return_inverse=True)
    closed = places.reshape(labels.shape).astype(np.int32) + np.int32(numbers[0] != 0)
    origin = Origin(way, dict(parameters or {}), (micrograph.sha256,))
    return Segmentation(closed, name_phases([name]), OBJECTS, origin, included)


def from_file(
    data: bytes, micrograph: Micrograph, file_name: str, *, exclude: Mask | None = None
) -> tuple[Segmentation, tuple[str, ...]]:
    """Return the objects of a label image, a mask or ImageJ's ROIs, and notes on what was left out.

    A mask, whose only number besides 0 lies in several pieces, is numbered piece by piece.

    Raises
    ------
    UserError
        If the file is none of these, or belongs to another picture.
    """
    is_rois = file_name.lower().endswith(_ROI_ENDINGS)
    found: ReadLabels = (read_rois if is_rois else read_labels)(data, micrograph.shape, file_name)
    labels, notes = found.labels, found.notes
    if not is_rois and int(labels.max()) == 1:
        labels = label_regions(labels > 0)
        notes = (*notes, f"A mask: its {int(labels.max())} separate pieces were numbered.")
    made = from_objects(
        labels,
        micrograph,
        way="file",
        name="object",
        exclude=exclude,
        parameters={"file": file_name},
    )
    return made, notes


def objects_of(
    phases: Segmentation,
    number: int,
    *,
    min_area_px: int = 1,
    split: bool = False,
    fill_holes: bool = False,
    connectivity: int = 8,
    neck_depth_px: float = NECK_DEPTH_PX,
) -> Segmentation:
    """Return the separate regions of a phase as objects.

    Parameters
    ----------
    phases : Segmentation
        Of phases; objects are returned as they are.
    number : int
        Of the phase, from 1.
    min_area_px, split, fill_holes, connectivity, neck_depth_px
        As of `core.measuring.regions.label_regions`.
    """
    if phases.kind == OBJECTS:
        return phases
    how: dict[str, Any] = {
        "min_area_px": min_area_px,
        "split": split,
        "fill_holes": fill_holes,
        "connectivity": connectivity,
        "neck_depth_px": neck_depth_px,
    }
    labels = label_regions(phases.labels == number, included=phases.included, **how)
    phase = phases.phases[number - 1]
    said = {**phases.origin.parameters, "phase": phase.name, **how}
    origin = Origin(phases.origin.way, said, phases.origin.digests)
    return Segmentation(labels, (phase,), OBJECTS, origin, phases.included)
