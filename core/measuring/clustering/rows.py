"""k-means of rows of numbers, the same to the last digit on any number of threads.

Rows are kept as planes, shape (features, n), and worked on in blocks of fixed size. Threads share
out blocks, and what blocks give is added up in their order. No matrix library takes part: its last
digits depend on how many threads it has.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError

Floats = NDArray[np.float64]
Planes = NDArray[np.float32]
Labels = NDArray[np.int16]
Random = np.random.Generator
Result = TypeVar("Result")

BLOCK = 1 << 14
MOST_THREADS = 8
MOST_STEPS = 60
STILL = 1e-4  # sum of squared moves, in standard deviations, below which centres have arrived
STARTS = 5
START_ROWS = 1 << 14
BATCH_ROWS = 1 << 12


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Rows in groups: labels (n,), centers (k, features), counts (k,), sum of squared distances."""

    labels: Labels
    centers: Floats
    counts: NDArray[np.int64]
    inertia: float


def in_order(work: Callable[[slice], Result], length: int) -> list[Result]:
    """Return what blocks of rows give, in their order, worked out by several threads.

    There is one block at least: that of no rows is empty.
    """
    blocks = [slice(start, min(start + BLOCK, length)) for start in range(0, max(1, length), BLOCK)]
    if len(blocks) == 1:
        return [work(blocks[0])]
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, blocks))


def group_rows(planes: Planes, k: int, *, seed: int = 0, starts: int = STARTS) -> Groups:
    """Group rows into k clusters of little inertia.

    Parameters
    ----------
    planes : ndarray of shape (features, n), float32
        Standardised; finite.
    k : int
    seed : int
    starts : int
        Runs from different beginnings, of which the best goes on. They work on at most 16,384
        rows, drawn at random; the winner then on all of them.

    Raises
    ------
    UserError
        If there are fewer different rows than clusters.

    References
    ----------
    Arthur & Vassilvitskii (2007), k-means++: the advantages of careful seeding, SODA, 1027-1035.
    Lloyd (1982), Least squares quantization in PCM, doi:10.1109/TIT.1982.1056489.
    """
    return refine(planes, best_start(planes, k, seed=seed, starts=starts))


def best_start(planes: Planes, k: int, *, seed: int = 0, starts: int = STARTS) -> Floats:
    """Return the centres (k, features) of the best of several runs on a part of the rows."""
    random = np.random.default_rng(seed)
    part = draw_rows(planes, START_ROWS, random)
    try:
        runs = [refine(part, spread_out(part, k, random)) for _ in range(starts)]
    except UserError:
        if part.shape[1] == planes.shape[1]:
            raise
        return spread_out(planes, k, random)  # what is rare may be missing from the part
    return min(runs, key=lambda run: run.inertia).centers


def draw_rows(planes: Planes, most: int, random: Random) -> Planes:
    """Return at most so many rows, drawn without replacement, in their order."""
    length = planes.shape[1]
    if length <= most:
        return planes
    chosen = np.sort(random.choice(length, most, replace=False))
    return np.ascontiguousarray(planes[:, chosen])


def spread_out(planes: Planes, k: int, random: Random) -> Floats:
    """Return k rows as first centres: each the likelier, the farther from those before it.

    Of a few candidates the one that leaves least inertia is kept, as scikit-learn does.
    """
    length = planes.shape[1]
    tries = 2 + int(np.log(k))
    first = planes[:, int(random.integers(length))].astype(np.float64)
    centers, nearest = [first], distances(planes, first)
    while len(centers) < k:
        total = float(nearest.sum())
        if total <= 0:
            raise UserError(
                f"The pixels differ in only {len(centers)} ways, too few for {k} clusters. "
                f"Choose fewer clusters or other features."
                if len(centers) > 1
                else f"All pixels are alike, so they cannot form {k} clusters. "
                "Check the region and the filters, or load another micrograph."
            )
        places = np.searchsorted(np.cumsum(nearest), random.random(tries) * total)
        candidates = [planes[:, min(int(p), length - 1)].astype(np.float64) for p in places]
        lefts = [np.minimum(nearest, distances(planes, candidate)) for candidate in candidates]
        best = int(np.argmin([left.sum() for left in lefts]))
        centers.append(candidates[best])
        nearest = lefts[best]
    return np.stack(centers)


def distances(planes: Planes, center: Floats) -> Floats:
    """Return the squared distance of each row from one point, shape (n,)."""
    found = np.zeros(planes.shape[1])
    for plane, value in zip(planes, center, strict=True):
        found += (plane - value) ** 2
    return found


def refine(planes: Planes, centers: Floats, *, most_steps: int = MOST_STEPS) -> Groups:
    """Move centres to the means of their rows until they stay (Lloyd)."""
    total = sum(in_order(lambda part: _squares(planes[:, part]), planes.shape[1]))
    for _ in range(most_steps):
        labels, sums, counts = _assign(planes, centers)
        moved = _means(planes, labels, sums, counts, centers)
        still = bool(((moved - centers) ** 2).sum() <= STILL)
        centers = moved
        if still:
            break
    labels, sums, counts = _assign(planes, centers)
    means = sums / np.maximum(counts, 1)[:, None]
    within = float(total) - float((counts[:, None] * means**2).sum())
    return Groups(labels, np.where(counts[:, None] > 0, means, centers), counts, max(0.0, within))


def in_batches(planes: Planes, centers: Floats) -> Floats:
    """Return centres after one pass over rows in random order, a batch at a time.

    Each centre is the mean of all rows that were nearest to it when their batch came.

    References
    ----------
    Sculley (2010), Web-scale k-means clustering, WWW, doi:10.1145/1772690.1772862.
    """
    centers = centers.copy()
    seen = np.zeros(len(centers))
    for start in range(0, planes.shape[1], BATCH_ROWS):
        _, sums, counts = _block(planes[:, start : start + BATCH_ROWS], centers)
        seen += counts
        rate = (1 / np.maximum(seen, 1))[:, None]
        centers += rate * (sums - counts[:, None] * centers)
    return centers


def nearest_center(planes: Planes, centers: Floats) -> Labels:
    """Return the number of the nearest centre of each row, shape (n,)."""
    return np.concatenate(in_order(lambda part: _labels(planes[:, part], centers), planes.shape[1]))


def _assign(planes: Planes, centers: Floats) -> tuple[Labels, Floats, NDArray[np.int64]]:
    """Return labels, and per centre the sum and the number of its rows."""
    parts = in_order(lambda part: _block(planes[:, part], centers), planes.shape[1])
    sums, counts = parts[0][1].copy(), parts[0][2].copy()
    for _, more, number in parts[1:]:
        sums += more
        counts += number
    return np.concatenate([labels for labels, _, _ in parts]), sums, counts


def _block(planes: Planes, centers: Floats) -> tuple[Labels, Floats, NDArray[np.int64]]:
    labels = _labels(planes, centers)
    k = len(centers)
    sums = np.stack([np.bincount(labels, plane, k) for plane in planes], axis=1)
    return (
        labels,
        np.asarray(sums, np.float64),
        np.asarray(np.bincount(labels, minlength=k), np.int64),
    )


def _labels(planes: Planes, centers: Floats) -> Labels:
    """Return the nearest centres: least |c|² / 2 - x c."""
    near = centers.astype(np.float32)
    scores = np.einsum("kd,dn->kn", near, planes)
    scores -= (np.square(centers).sum(axis=1) / 2).astype(np.float32)[:, None]
    return np.asarray(scores.argmax(axis=0), np.int16)


def _means(
    planes: Planes, labels: Labels, sums: Floats, counts: NDArray[np.int64], centers: Floats
) -> Floats:
    """Return the means of the groups; a group without rows moves to the row farthest from all."""
    means = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centers)
    empty = np.flatnonzero(counts == 0)
    if empty.size:
        apart = np.zeros(labels.size)
        for plane, place in zip(planes, means.T, strict=True):
            apart += (plane - place[labels]) ** 2
        farthest = np.argsort(-apart, kind="stable")[: empty.size]
        means[empty] = planes[:, farthest].T
    return np.asarray(means)


def _squares(planes: Planes) -> float:
    return float(np.square(planes, dtype=np.float64).sum())
