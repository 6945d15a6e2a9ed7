"""How many objects there must be, that so many are measured: what is lost is put back.

What a measurement misses is not in it, and what noise invents is. Twins of a first guess show both
by size; the numbers of the second guess are those that the same losses and inventions would turn
into what was measured.

References
----------
D'Agostini (1995), A multidimensional unfolding method based on Bayes' theorem, Nuclear Instruments
and Methods A 362:487, doi:10.1016/0168-9002(95)00274-X. Gourieroux, Monfort, Renault (1993),
Indirect inference, Journal of Applied Econometrics 8:S85, doi:10.1002/jae.3950080507.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.measuring.twins.errors import match_objects
from core.measuring.twins.truth import Labels

_BINS = 8
_LEAST_STEP = 0.7  # of the logarithm of area: twins are bent, which moves sizes a little
_CHANCE = 1.5  # standard deviations of counts: what differs by less is as it should be
_LEAST_FOUND = 0.2  # of the objects of a size that are found: fewer say nothing about the others
_LEAST_TIMES, _MOST_TIMES = 0.5, 3.0
_FEWEST_HITS = 5
_MOST_MOVED_PX = 3.0


def times_drawn(
    truth: Labels,
    objects: Labels,
    twins: Sequence[tuple[Labels, Labels]],
    times: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return how often each supposed object must be drawn so that twins measure as the original.

    Parameters
    ----------
    truth, objects : ndarray of shape (H, W), int32
        As supposed and as measured in the original.
    twins : sequence of two ndarrays of shape (H, W), int32
        Truth of each twin and what was measured in it.
    times : ndarray of shape (truth.max() + 1,), float64, optional
        How often they were drawn in these twins; once by default.

    Returns
    -------
    ndarray of shape (truth.max() + 1,), float64
        From 0 to 3; 1 where nothing speaks against it.
    """
    edges = _size_edges(np.concatenate([_areas(truth), _areas(objects)]))
    measured = _histogram(_areas(objects), edges)
    drawn, found, invented, all_found = np.zeros((4, edges.size - 1))
    for true, seen in twins:
        _, hit, made_up = match_objects(true, seen)
        drawn += _histogram(_areas(true), edges)
        found += _histogram(_areas(true)[hit], edges)
        invented += _histogram(_areas(seen)[made_up], edges)
        all_found += _histogram(_areas(seen), edges)
    count = max(len(twins), 1)
    share = (found + 1) / (drawn + 1)  # without evidence, all are found
    kept = np.maximum(all_found - invented, 0) / count
    real = np.maximum(measured - invented / count, 0)
    ratio = (real + 0.5) / (kept + 0.5)
    by_chance = np.abs(real - kept) < _CHANCE * np.sqrt(measured + kept / count + 1)
    ratio = np.where(by_chance, 1, ratio)
    unexplained = real / np.maximum(measured, 1)  # of what was measured: noise invents the rest
    ratio = np.where((share < _LEAST_FOUND) | (measured + kept < 3), unexplained, ratio)
    ratio = np.where(unexplained >= 0.5, np.maximum(ratio, _LEAST_TIMES), ratio)
    now = np.ones(int(truth.max()) + 1) if times is None else times.copy()
    place = np.clip(np.digitize(_areas(truth), edges[1:-1]), 0, edges.size - 2)
    now[1:] = np.clip(now[1:] * ratio[place], 0, _MOST_TIMES)
    return now


def outlines_to_move(
    truth: Labels, twins: Sequence[tuple[Labels, Labels]], outwards_px: float
) -> NDArray[np.float64]:
    """Return by how much each supposed outline must move outwards, in px; (objects + 1,) float64.

    A small object under blur is measured smaller than it is, so that one measured so small must be
    larger. Objects that were hit in the twins show by how much, at each size.

    Parameters
    ----------
    truth, twins
        As in `times_drawn`.
    outwards_px : float
        By how much all were moved already when they were supposed.
    """
    edges = _size_edges(_areas(truth))
    sums, hits = np.zeros((2, edges.size - 1))
    for true, seen in twins:
        width, found, hit = _widths_of_pairs(true, seen)
        place = np.clip(np.digitize(_areas(true)[hit], edges[1:-1]), 0, edges.size - 2)
        sums += np.bincount(place, weights=(width - found) / 2 - outwards_px, minlength=sums.size)
        hits += np.bincount(place, minlength=sums.size)
    moves = np.zeros(int(truth.max()) + 1)
    known = np.flatnonzero(hits >= _FEWEST_HITS)
    if known.size:
        by_size = np.interp(np.arange(sums.size), known, sums[known] / hits[known])
        place = np.clip(np.digitize(_areas(truth), edges[1:-1]), 0, edges.size - 2)
        moves[1:] = np.clip(by_size[place], -1.0, _MOST_MOVED_PX)
    return moves


def _widths_of_pairs(
    true: Labels, seen: Labels
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return diameters of true objects that were hit and of what was measured there, and which."""
    _, hit, _ = match_objects(true, seen)
    best = np.zeros(int(true.max()) + 1, np.int64)
    both = (true > 0) & (seen > 0)
    pairs = true[both].astype(np.int64) * (int(seen.max()) + 1) + seen[both]
    codes, shared = np.unique(pairs, return_counts=True)
    order = np.argsort(shared, kind="stable")
    best[codes[order] // (int(seen.max()) + 1)] = codes[order] % (int(seen.max()) + 1)
    areas_true, areas_seen = _areas(true), np.concatenate([[0], _areas(seen)])
    widths = [np.sqrt(4 / np.pi * each) for each in (areas_true[hit], areas_seen[best[1:][hit]])]
    return widths[0], widths[1], hit


def _areas(labels: Labels) -> NDArray[np.int64]:
    return np.bincount(labels.ravel())[1:]


def _size_edges(areas: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return limits of area, alike on a logarithmic scale."""
    low, high = float(max(areas.min(), 1)), float(max(areas.max(), 2))
    bins = int(np.clip(np.log(high / low) / _LEAST_STEP, 1, _BINS))
    return np.geomspace(low, high * 1.0001, bins + 1)


def _histogram(areas: NDArray[np.int64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    place = np.clip(np.digitize(areas, edges[1:-1]), 0, edges.size - 2)
    return np.bincount(place, minlength=edges.size - 1).astype(np.float64)
