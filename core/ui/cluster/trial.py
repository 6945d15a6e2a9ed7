"""How wrong the regions' numbers are here, and which neighbour of the settings would be better."""

from __future__ import annotations

from dataclasses import replace

from streamlit.delta_generator import DeltaGenerator

from core.measuring.clustering import AUTO, GREY, GREYS, NONE, Smoothing
from core.measuring.defaults import smallest_region
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.cluster.settings import CLUSTERS, TARGETS
from core.ui.measured import Neighbour, trial
from core.ui.parts import MOST_CLUSTERS, measuring
from core.ui.shell import SMALLEST, smallest_by

_SMOOTHED = {
    NONE: "with clusters as found",
    GREYS: "with averaged greys",
    "majority": "with neighbours’ vote",
}


def ask() -> DeltaGenerator:
    """Draw what asks for the trial, and return where its sentence goes."""
    return trial.ask("cluster")


def draw(
    micrograph: Micrograph,
    choice: cache.ClusterChoice,
    target: int,
    regions: cache.RegionChoice,
    place: DeltaGenerator | None,
) -> None:
    """Draw the trial of what is set, and its sentence in its place."""
    meant = objects_of(choice, target, regions)

    def others() -> list[Neighbour]:
        return neighbours(micrograph, meant, choice, target)

    trial.draw(micrograph, meant, cache.Given(), others, "cluster", place)


def objects_of(
    choice: cache.ClusterChoice, target: int, regions: cache.RegionChoice
) -> cache.Objects:
    """Return the regions of a cluster as Segment names them."""
    segment = cache.SegmentChoice(way=cache.CLUSTERS, exclude=choice.exclude, clusters=choice)
    return cache.Objects(segment, target + 1, regions)


def neighbours(
    micrograph: Micrograph, meant: cache.Objects, choice: cache.ClusterChoice, target: int
) -> list[Neighbour]:
    """Return what one setting more or less would be."""
    found = trial.of_size(micrograph, meant) + trial.of_split(meant, measuring.SPLIT)
    found += [_smoothed(meant, choice, target, kind) for kind in _kinds(choice)]
    for k in (choice.k - 1, choice.k + 1):
        at_end = target in (0, choice.k - 1)
        if 2 <= k <= MOST_CLUSTERS and at_end:
            found.append(_of_k(micrograph, meant, choice, k, k - 1 if target else 0))
    return found


def _kinds(choice: cache.ClusterChoice) -> list[str]:
    kinds = [kind for kind in _SMOOTHED if kind != choice.smoothing.kind]
    return kinds if choice.mode == GREY else [kind for kind in kinds if kind != GREYS]


def _smoothed(
    meant: cache.Objects, choice: cache.ClusterChoice, target: int, kind: str
) -> Neighbour:
    smoothing = Smoothing(
        kind,
        radius_px=measuring.RADIUS.default,
        side_px=measuring.SIDE.default,
        sigma_px=measuring.SIGMA.default,
    )
    regions = _unless_stated(meant.found_by, 0.0)
    changed = objects_of(replace(choice, smoothing=smoothing), target, regions)
    sets = (
        (measuring.SMOOTHING, kind),
        (measuring.RADIUS, smoothing.radius_px),
        (measuring.SIGMA, smoothing.sigma_px),
        (TARGETS[choice.k], target),
    )
    return Neighbour(_SMOOTHED[kind], changed, sets)


def _of_k(
    micrograph: Micrograph, meant: cache.Objects, choice: cache.ClusterChoice, k: int, target: int
) -> Neighbour:
    """Return the same end of the greys among another number of clusters."""
    if measuring.SMOOTHING.value() != AUTO:
        changed, regions = replace(choice, k=k), meant.found_by
    else:
        changed = cache.settled(micrograph, replace(choice, k=k, smoothing=Smoothing(AUTO)))
        averages = changed.smoothing.kind == GREYS
        regions = _unless_stated(meant.found_by, changed.smoothing.sigma_px if averages else 0.0)
    sets = ((CLUSTERS, k), (TARGETS[k], target))
    return Neighbour(f"with {k} clusters", objects_of(changed, target, regions), sets)


def _unless_stated(regions: cache.RegionChoice, averaged_px: float) -> cache.RegionChoice:
    """Return regions as large as averaging asks for, unless a person said how large."""
    if smallest_by() == "stated":
        return regions
    return replace(regions, smallest_px=smallest_region(averaged_px, SMALLEST.value()))
