"""From errors on look-alikes to the error that is to be expected, and its 95 % limits.

Look-alikes that measure like the original need not have its truth. How far the predicted error may
be off is learned from pictures of which the truth is known, by quantity: it grows with the spread
between twins, with what is predicted, with how far the two guesses of what is true are apart, with
the width of edges and with how few objects there are; and all of that the more, the less twins look
like the original. Drawn pictures and real ones with outlines drawn by people, less what those add
(`outlining`), say how much each weighs, as much one as the other; those that the result is reported
for are not among them (``python -m tests.benchmarks.bench_twins calibrate``).

References
----------
Lei et al. (2018), Distribution-free predictive inference for regression, Journal of the American
Statistical Association 113:1094, doi:10.1080/01621459.2017.1307116 (split conformal, with scores
by their own spread). Lange, Little, Taylor (1989), Robust statistical modeling using the t
distribution, Journal of the American Statistical Association 84:881, doi:10.2307/2290063.
Gourieroux, Monfort, Renault (1993), Indirect inference, Journal of Applied Econometrics 8:S85,
doi:10.1002/jae.3950080507.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.measuring.twins.alike import Likeness
from core.measuring.twins.errors import QUANTITIES
from core.measuring.twins.imitating import Imitation

Floats = NDArray[np.float64]
_ADDITIVE = np.array([name in ("fraction", "circularity") for name in QUANTITIES])
_IS_FRACTION = np.array([name == "fraction" for name in QUANTITIES])
_COUNT, _CHORD = QUANTITIES.index("count"), QUANTITIES.index("chord")
_MOST_UNLIKE = 3.0  # of the logarithm: limits twenty times as wide say nothing in any case

# In the order of QUANTITIES: fraction, count, d10, d50, d90, chord, circularity. Rows: what the
# terms of `Evidence` weigh, and how much likeness widens (local contrast, power spectrum). From 60
# drawn pictures (seeds from 5000 on) and 51 of seg-emps, with what people's outlines add taken off
# (`outlining`); 8 twins of each.
WEIGHTS = np.array(
    [
        [0.732, 5.093, 1.039, 2.34, 2.438, 2.204, 3.63],  # spread
        [0.162, 0.606, 0.026, 0.03, 0.104, 0.066, 0.102],  # what is predicted
        [0.014, 0.002, 0.01, 0.013, 0.008, 0.023, 0.009],  # whatever is predicted
        [0.066, 0.09, 0.454, 0.13, 0.178, 0.776, 0.286],  # two guesses
        [0.061, 0.009, 0.038, 0.035, 0.03, 0.111, 0.028],  # width of edges
        [0.082, 0.007, 0.207, 0.138, 0.074, 0.069, 0.076],  # few objects
        [18.377, 3.279, 12.31, 14.711, 14.919, 8.556, 1.21],
        [0.599, 0.689, 9.572, 0.409, 0.907, 2.865, 3.319],
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What says how far a predicted error may be off; arrays of shape (7,), float64.

    Attributes
    ----------
    mean, spread : ndarray
        Of the errors of twins: differences of shares, logarithms of measured by true.
    size : ndarray
        What shares are of: the measured fraction, 1 for the others.
    many : ndarray
        Twins.
    apart : ndarray
        Difference of the two guesses of what is true, or the logarithm of their ratio.
    edge : float
        Width of edges by the mean chord of objects.
    objects : float
        How many there are.
    unlike : ndarray of shape (2,), float64
        `Likeness.contrast` and `Likeness.spectrum`.
    """

    mean: Floats
    spread: Floats
    size: Floats
    many: NDArray[np.int64]
    apart: Floats
    edge: float
    objects: float
    unlike: Floats

    @property
    def terms(self) -> Floats:
        """Variances that are weighed, shape (6, 7): spread, mean, size, apart, edge, few."""
        chance = self.spread**2 * (1 + 1 / np.maximum(self.many, 1))
        apart = np.where(np.isfinite(self.apart), self.apart, 0)
        edge, few = self.size * self.edge, self.size / np.sqrt(max(self.objects, 1))
        return np.stack([chance, *(each**2 for each in (self.mean, self.size, apart, edge, few))])


def gather(
    known: Imitation,
    measured: Floats,
    mean: Floats,
    spread: Floats,
    many: NDArray[np.int64],
    alike: Likeness,
) -> Evidence:
    """Return the evidence of look-alikes.

    Parameters
    ----------
    known : Imitation
    measured : ndarray of shape (7,), float64
        In the original.
    mean, spread, many : ndarray of shape (7,)
        Of the errors of its twins.
    alike : Likeness
    """
    true = np.array([_mean(each, known.weights) for each in known.true.T])
    return Evidence(
        mean,
        spread,
        np.where(_IS_FRACTION, measured, 1.0),
        many,
        _apart(known.true[::2], known.true[1::2]),
        known.original.look.edge_width_px / max(float(true[_CHORD]), 1.0),
        float(true[_COUNT]),
        np.array([alike.contrast, alike.spectrum]),
    )


def _mean(values: Floats, weights: Floats) -> float:
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else 0.0


def _apart(one: Floats, other: Floats) -> Floats:
    """Return how far two guesses are apart; they take turns (see `imitate`)."""
    ones = np.ones(len(one)), np.ones(len(other))
    first, second = (
        np.array([_mean(each, w) for each in values.T])
        for values, w in zip((one, other), ones, strict=True)
    )
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(np.where(_ADDITIVE, first - second, np.log(first / second))))


def deviation(evidence: Evidence, weights: Floats = WEIGHTS) -> Floats:
    """Return how far the limits are from the predicted error, shape (7,).

    Parameters
    ----------
    evidence : Evidence
    weights : ndarray of shape (8, 7), float64
        Six of the terms, two of how unlike the twins are.
    """
    wider = np.exp(np.minimum(evidence.unlike @ weights[6:], _MOST_UNLIKE))
    return np.asarray(np.sqrt((weights[:6] ** 2 * evidence.terms).sum(axis=0)) * wider)
