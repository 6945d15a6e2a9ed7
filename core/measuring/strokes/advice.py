"""How wrong a map from strokes is, and where the next stroke would help most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from core.errors import UserError
from core.imaging.filtering import blur
from core.measuring.statistics import Interval
from core.measuring.strokes.learning import (
    Labels,
    Mask,
    Paint,
    Trees,
    describe_all,
    painted_rows,
)
from core.measuring.strokes.maps import PixelMaps, sample_pixels
from core.micrograph import Micrograph

Map = NDArray[np.float32]
FOLDS = 5
_SHARES = (0.25, 0.5, 0.75, 1.0)  # of the strokes that are learned from, for the curve
_FEWEST = 2  # strokes of every phase, or none can be left out


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How a classifier answers on strokes that it did not learn from.

    Attributes
    ----------
    right : Interval
        Share of the frames' pixels that is told rightly, with its 95 % interval: of each phase the
        share of the painted pixels that were left out, weighed by how much of the frames it is
        told to be. Strokes are the units, because pixels of one stroke are alike.
    curve : tuple of (int, float)
        Strokes learned from, and the share told rightly with so many: it still rises where
        more strokes pay.
    strokes : int
        How many were left out in turn.
    """

    right: Interval
    curve: tuple[tuple[int, float], ...]
    strokes: int


def unsureness(probabilities: Map) -> Map:
    """Return where a classifier hesitates: 1 less the lead of the likeliest over the next phase.

    Parameters
    ----------
    probabilities : ndarray of shape (K, H, W), float32
        0 everywhere at pixels that do not count.

    Returns
    -------
    ndarray of shape (H, W), float32
        0 sure to 1 undecided; 0 where a pixel does not count.
    """
    first, second = np.zeros((2, *probabilities.shape[1:]), np.float32)
    for each in probabilities:
        second = np.maximum(second, np.minimum(first, each))
        first = np.maximum(first, each)
    return np.where(first > 0, 1 - (first - second), np.float32(0))


def paint_next(
    probabilities: Map, count: int = 3, *, width_px: float = 12.0
) -> tuple[tuple[int, int], ...]:
    """Return the places where a stroke would settle most.

    The most undecided neighbourhoods, apart from each other by an eighth of the shorter edge.

    Parameters
    ----------
    probabilities : ndarray of shape (K, H, W), float32
    count : int
        Most places.
    width_px : float
        Standard deviation of the neighbourhood.

    Returns
    -------
    tuple of (row, column)
        Where nothing is undecided, fewer or none.
    """
    unsure = unsureness(probabilities)
    counted = (probabilities.sum(axis=0) > 0).astype(np.float32)
    mean = blur(unsure, width_px) / np.maximum(blur(counted, width_px), np.float32(1e-3))
    mean *= counted
    edge = min(int(width_px), min(mean.shape) // 4)  # where half of a neighbourhood is unknown
    inner = np.zeros(mean.shape, np.bool_)
    inner[edge : mean.shape[0] - edge, edge : mean.shape[1] - edge] = True
    mean[~inner] = 0
    apart = max(8, min(mean.shape) // 8)
    places = []
    for _ in range(count):
        row, column = (int(v) for v in np.unravel_index(int(mean.argmax()), mean.shape))
        if mean[row, column] < 0.05:
            break
        places.append((row, column))
        cv2.circle(mean, (column, row), apart, 0.0, cv2.FILLED)
    return tuple(places)


def leave_strokes_out(
    micrographs: Sequence[Micrograph],
    painted: Sequence[Paint],
    *,
    seed: int = 0,
    exclude: Sequence[Mask | None] | None = None,
    described: Sequence[PixelMaps] | None = None,
) -> LeftOut:
    """Estimate how often pixels away from the strokes are told rightly.

    It holds for pixels such as those painted: who paints only the middle of every object learns
    nothing of edges, and the estimate is too good.

    Strokes, the connected painted pixels of one phase, are left out in five parts; neighbours go
    together, so that the answer is not copied from next to it.

    Parameters
    ----------
    micrographs, painted, seed, exclude, described
        As of `learn_pixels`.

    Returns
    -------
    LeftOut

    Raises
    ------
    UserError
        If a phase has fewer than two strokes.
    """
    maps = described or describe_all(micrographs, exclude)
    paints = [np.where(m.hidden, 0, p) for m, p in zip(maps, painted, strict=True)]
    rows, stroke, phase_of = _strokes(maps, paints)
    fold_of = _folds(phase_of)
    told = [_told(rows, stroke, phase_of, fold_of, share, seed) for share in _SHARES]
    model = Trees(rows, phase_of[stroke], seed)
    weights = _phase_shares(model, maps)
    pixels = np.bincount(stroke, minlength=len(phase_of))
    place = np.searchsorted(model.classes, phase_of)
    rights = [weighed(right, pixels, place, weights) for _, right in told]
    curve = tuple((told[n][0], each.estimate) for n, each in enumerate(rights))
    return LeftOut(rights[-1], curve, len(phase_of))


def weighed(
    right: NDArray[np.float64],
    pixels: NDArray[np.intp],
    phase_of: NDArray[np.intp],
    weights: NDArray[np.float64],
) -> Interval:
    """Return which share of frames is told rightly, from the strokes of each phase.

    A share of pixels in strokes of unlike length, which are drawn within phases (Cochran 1977,
    Sampling Techniques, ch. 5 and 6); limits by Student's t with the degrees of freedom of
    Satterthwaite (1946), Biometrics Bulletin 2, 110, doi:10.2307/3002019.

    Parameters
    ----------
    right : ndarray of shape (n,)
        Share of each stroke that is told rightly.
    pixels, phase_of : ndarray of shape (n,)
        How long each is, and the place of its phase among the weights.
    weights : ndarray of shape (K,)
        Share of each phase in the frames; they add up to 1.
    """
    estimate, spread, freedom = 0.0, 0.0, 0.0
    for phase, weight in enumerate(weights):
        own = phase_of == phase
        count, length = int(own.sum()), pixels[own] / pixels[own].sum()
        mean = float(length @ right[own])
        estimate += weight * mean
        if count > 1:
            apart = float(np.sum((length * (right[own] - mean)) ** 2)) * count / (count - 1)
            spread += weight**2 * apart
            freedom += (weight**2 * apart) ** 2 / (count - 1)
    if not spread:
        return Interval(estimate, estimate, estimate, len(right))
    half = float(stdtrit(spread**2 / freedom, 0.975)) * math.sqrt(spread)
    return Interval(estimate, max(0.0, estimate - half), min(1.0, estimate + half), len(right))


def _phase_shares(model: Trees, maps: Sequence[PixelMaps]) -> NDArray[np.float64]:
    """Return how much of the frames each phase is told to be, shape (K,)."""
    told = [model.predict_proba(sample_pixels(each)).argmax(axis=1) for each in maps]
    counts = np.bincount(np.concatenate(told), minlength=len(model.classes))
    return np.asarray(counts / counts.sum())


def _strokes(
    maps: Sequence[PixelMaps], painted: Sequence[Paint]
) -> tuple[NDArray[np.float32], NDArray[np.intp], Labels]:
    """Return the maps of painted pixels, the stroke each lies in, and the phase of each stroke.

    Strokes of a phase are numbered from left to right.
    """
    numbered, phases, before = [], [], 0
    for paint in painted:
        numbers = np.zeros(paint.shape, np.int32)
        for phase in range(1, int(paint.max(initial=0)) + 1):
            count, own = cv2.connectedComponents((paint == phase).astype(np.uint8))
            numbers[own > 0] = own[own > 0] + before
            phases += [phase] * (count - 1)
            before += count - 1
        numbered.append(_from_left_to_right(numbers, np.array(phases)))
    if len(np.unique(phases)) < 2 or min(phases.count(each) for each in set(phases)) < _FEWEST:
        raise UserError(
            "Paint at least two separate strokes in every phase: one is left out to see whether "
            "the others tell it rightly."
        )
    rows, stroke = painted_rows(maps, numbered)
    return rows, stroke.astype(np.intp) - 1, np.array(phases, np.uint8)


def _from_left_to_right(numbers: NDArray[np.int32], phases: Any) -> NDArray[np.int32]:
    """Number strokes of each phase anew, by where their middles lie."""
    known = np.unique(numbers[numbers > 0])
    columns = np.nonzero(numbers)[1]
    middle = np.bincount(numbers[numbers > 0], columns) / np.maximum(
        np.bincount(numbers[numbers > 0]), 1
    )
    new = np.arange(numbers.max(initial=0) + 1, dtype=np.int32)
    for phase in np.unique(phases[known - 1]):
        own = known[phases[known - 1] == phase]
        new[own[np.argsort(middle[own], kind="stable")]] = own
    return new[numbers]


def _folds(phase_of: Labels) -> NDArray[np.intp]:
    """Return in which part each stroke is left out: neighbours of a phase in the same."""
    fold_of = np.zeros(len(phase_of), np.intp)
    for phase in np.unique(phase_of):
        own = np.flatnonzero(phase_of == phase)
        parts = min(FOLDS, len(own))
        fold_of[own] = np.arange(len(own)) * parts // len(own)
    return fold_of


def _told(
    rows: NDArray[np.float32],
    stroke: NDArray[np.intp],
    phase_of: Labels,
    fold_of: NDArray[np.intp],
    share: float,
    seed: int,
) -> tuple[int, NDArray[np.float64]]:
    """Return how many strokes taught, and the share of each left-out one that is told rightly."""
    counts, right = [], np.zeros(len(phase_of))
    for fold in range(int(fold_of.max()) + 1):
        known = _some(phase_of, np.flatnonzero(fold_of != fold), share, seed + fold)
        counts.append(len(known))
        learn = np.isin(stroke, known)
        model = Trees(rows[learn], phase_of[stroke[learn]], seed)
        for each in np.flatnonzero(fold_of == fold):
            told = model.predict_proba(rows[stroke == each]).argmax(axis=1)
            right[each] = np.mean(model.classes[told] == phase_of[each])
    return round(float(np.mean(counts))), right


def _some(phase_of: Labels, known: NDArray[np.intp], share: float, seed: int) -> NDArray[np.intp]:
    """Return a share of the strokes of every phase, at least one of each."""
    random = np.random.default_rng(seed)
    kept = []
    for phase in np.unique(phase_of[known]):
        own = known[phase_of[known] == phase]
        kept.append(random.permutation(own)[: max(1, round(share * len(own)))])
    return np.sort(np.concatenate(kept))
