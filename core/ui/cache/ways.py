"""The ways to segment, for a page's micrograph and for its look-alikes alike; nothing is kept here.

Strokes, files and other micrographs are named in the choice by their digests; they come along
themselves in `Given`, which is no part of a key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.imaging.filtering import Pipeline
from core.measuring.by_hand import Shape, paint
from core.measuring.clustering import Clustering
from core.measuring.regions import filter_regions
from core.measuring.segmentation import (
    Segmentation,
    from_chain,
    from_clusters,
    from_objects,
    from_strokes,
    name_clusters,
)
from core.measuring.strokes import learn_pixels
from core.micrograph import Micrograph, PixelSize
from core.ui.cache.clustering import ClusterChoice, RegionChoice, find_clusters, unit_of

CHAIN, CLUSTERS, STROKES, PARTICLES, FILE = "chain", "clusters", "strokes", "particles", "file"
PROMPTED = "prompted"
AS_THEY_COME = (PARTICLES, FILE, PROMPTED)  # objects that nothing here parts, fills or drops
Mask = NDArray[np.bool_]
Find = Callable[[Micrograph], Segmentation]


@dataclass(frozen=True, slots=True)
class SegmentChoice:
    """All that decides how a micrograph is segmented.

    `names` are those of the phases, in the order of their numbers; equal names are one phase.
    `strokes` and `file` are digests of what `Given` holds. `everything`: a prompted network also
    looks for objects by itself.
    """

    way: str = CHAIN
    exclude: bool = True
    chain: str = ""
    dark: bool | None = None
    clusters: ClusterChoice | None = None
    names: tuple[str, ...] = ()
    strokes: str = ""
    seed: int = 0
    preview: bool = False
    file: str = ""
    everything: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What a choice names by digests: strokes by micrograph, a file, other micrographs."""

    strokes: tuple[tuple[Micrograph, tuple[Shape, ...]], ...] = ()
    file: tuple[str, bytes] = ("", b"")
    others: Mapping[str, Micrograph] = field(default_factory=dict)


def by_chain(
    micrograph: Micrograph, choice: SegmentChoice, given: Given, exclude: Mask | None
) -> Segmentation:
    """Return what a chain of filters that ends in a threshold tells apart."""
    chain = Pipeline.from_json(choice.chain)
    name = choice.names[0] if choice.names else "phase"
    return from_chain(
        micrograph, chain, exclude=exclude, others=given.others, dark=choice.dark, name=name
    )


def by_clusters(
    micrograph: Micrograph, choice: SegmentChoice, find: Callable[[ClusterChoice], Clustering]
) -> Segmentation:
    """Return named clusters as phases."""
    if choice.clusters is None:
        raise ValueError("clusters need a choice of how pixels are grouped")
    found = find(choice.clusters)
    how = {"method": choice.clusters.method, "mode": choice.clusters.mode}
    return from_clusters(found, name_clusters(found.k, choice.names), micrograph, how)


def by_network(micrograph: Micrograph, exclude: Mask | None) -> tuple[Segmentation, str]:
    """Return particles as objects, and what found them: "network" or "shape"."""
    # Here, since it imports torch: the other ways need none.
    from core.learning.particles import find_particles, way_to_particles

    way = way_to_particles(micrograph)
    labels = find_particles(micrograph, exclude=exclude)
    found = from_objects(labels, micrograph, exclude=exclude, parameters={"found_by": way})
    return found, way


def finder(choice: SegmentChoice, given: Given, exclude: Mask, excludes: list[Mask | None]) -> Find:
    """Return a way to segment as a function of other pictures of one shape; strokes teach once.

    Parameters
    ----------
    choice, given
    exclude : ndarray of shape (H, W), bool
        What of those pictures is not specimen.
    excludes : list of ndarray or None
        The same of the micrographs that were painted.
    """
    if choice.way == CHAIN:
        return lambda other: by_chain(other, choice, given, exclude)
    if choice.way == CLUSTERS:
        return lambda other: by_clusters(
            other, choice, lambda clusters: find_clusters(other, clusters, exclude)
        )
    if choice.way == STROKES:
        taught = [each for each, _ in given.strokes]
        paints = [paint(shapes, each.shape) for each, shapes in given.strokes]
        classifier = learn_pixels(
            taught, paints, seed=choice.seed, exclude=excludes, preview=choice.preview
        )
        return lambda other: from_strokes(classifier, other, choice.names, exclude=exclude)[0]
    return lambda other: by_network(other, exclude)[0]


def within_limits(
    table: pd.DataFrame, found_by: RegionChoice, size: PixelSize | None
) -> pd.DataFrame:
    """Return the rows of objects within the limits of size and shape."""
    limits = found_by.limits.columns(unit_of(table), size.to("nm") if size else None)
    return filter_regions(table, **limits)
