"""How wide the limits of look-alikes must be: the numbers of `core.measuring.twins.expecting`.

From pictures whose truth is known, by quantity: the weights of what makes a prediction uncertain
are those with the narrowest limits (by the mean of their logarithm) that hold what they are to
hold, 95 % of drawn pictures and 90 % of real ones; one kind counts as much as the other. The
score is the pinball loss of the logarithm of the error, smoothed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from core.measuring.twins import QUANTITIES
from core.measuring.twins.expecting import Evidence

Floats = NDArray[np.float64]
MISSED_DRAWN, MISSED_REAL = 0.05, 0.10
NAMES = ("SPREAD", "OFF", "FLOOR", "APART", "EDGE", "FEW", "UNLIKE[0]", "UNLIKE[1]")
_FIRST = np.log([2.0, 0.6, 0.04, 0.6, 0.2, 0.2, 3.0, 1.0])
_BOUNDS = [(-6.0, 2.0)] * 6 + [(-4.0, 3.2)] * 2
_SMOOTH, _HELD_BACK, _MOST_UNLIKE = 0.15, 3e-3, 3.0


def fit(evidence: list[Evidence], errors: Floats, is_real: NDArray[np.bool_]) -> Floats:
    """Return the weights, shape (8, 7): one row for each of `NAMES`.

    Parameters
    ----------
    evidence : list of Evidence
        Of each picture.
    errors : ndarray of shape (pictures, 7), float64
        Real ones: measured less true for shares, logarithms of measured by true for the others.
    is_real : ndarray of shape (pictures,), bool
        Real pictures with outlines drawn by people; the others are drawn.
    """
    return np.stack(
        [_fit(evidence, errors[:, q], is_real, q) for q in range(len(QUANTITIES))], axis=1
    )


def _fit(
    evidence: list[Evidence], errors: Floats, is_real: NDArray[np.bool_], quantity: int
) -> Floats:
    terms = np.array([each.terms[:, quantity] for each in evidence])
    means = np.array([each.mean[quantity] for each in evidence])
    known = np.isfinite(errors - means) & np.isfinite(terms).all(axis=1)
    terms, real = terms[known], is_real[known]
    unlike = np.array([each.unlike for each in evidence])[known]
    off = np.log(np.maximum(np.abs(errors - means)[known], 1e-5))
    share = np.where(real, 0.5 / max(real.sum(), 1), 0.5 / max((~real).sum(), 1))
    missed = np.where(real, MISSED_REAL, MISSED_DRAWN)

    def loss(values: Floats) -> float:
        wider = np.minimum(unlike @ np.exp(values[6:]), _MOST_UNLIKE)
        width = 0.5 * np.log(terms @ np.exp(2 * values[:6])) + wider
        beyond = _SMOOTH * np.logaddexp(0, (off - width) / _SMOOTH)
        held_back = _HELD_BACK * float(((values - _FIRST) ** 2).sum())
        return float((share * (width + beyond / missed)).sum()) + held_back

    return np.exp(minimize(loss, _FIRST, method="L-BFGS-B", bounds=_BOUNDS).x)
