"""From errors on look-alikes to the error that is to be expected, and its 95 % limits.

Look-alikes that measure like the original need not have its truth: what the measurement and the
careful reading both take for one object is drawn as one. So what they predict is held against what
is true on drawn pictures, by quantity: by how much it has to be stretched, and how wide limits must
be to hold the truth. These pictures are not those that the result is reported for
(``python -m tests.benchmarks.bench_twins calibrate``).

References
----------
Lei et al. (2018), Distribution-free predictive inference for regression, Journal of the American
Statistical Association 113:1094, doi:10.1080/01621459.2017.1307116 (split conformal, with scores
by their own spread). Gourieroux, Monfort, Renault (1993), Indirect inference, Journal of Applied
Econometrics 8:S85, doi:10.1002/jae.3950080507.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# In the order of QUANTITIES: fraction, count, d10, d50, d90, chord, circularity. From 57 drawn
# pictures (seeds from 5000 on), 8 twins of each.
STRETCH = np.ones(7)  # 0.99 to 1.09 by least squares: predictions are neither too large nor small
OFF = np.array([0.5, 0.2, 0.1, 0.2, 0.5, 0.1, 0.3])  # of what is predicted: so far it may be off
FLOOR = np.array([0.02, 0.01, 0.08, 0.05, 0.02, 0.05, 0.02])  # of the value, whatever is predicted
# Deviations that the limits are away: the 95 % order statistic, a tenth wider since `OFF` and
# `FLOOR` were chosen on the same pictures so that limits leave out zero most often.
REACH = np.array([1.3, 3.7, 2.6, 1.8, 1.5, 2.3, 1.7])


def deviation(mean: Floats, spread: Floats, size: Floats, many: NDArray[np.int64]) -> Floats:
    """Return by how much a predicted error may be off, before that is held against the truth.

    Parameters
    ----------
    mean, spread : ndarray of shape (7,), float64
        Of the errors of twins: differences of shares, logarithms of measured by true.
    size : ndarray of shape (7,), float64
        What `FLOOR` is a share of.
    many : ndarray of shape (7,), integers
        Twins.
    """
    by_chance = spread**2 * (1 + 1 / np.maximum(many, 1))
    return np.asarray(np.sqrt(by_chance + (OFF * mean) ** 2 + (FLOOR * size) ** 2))


def expect(
    mean: Floats, spread: Floats, size: Floats, many: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return the error that is to be expected, and how far its 95 % limits are away.

    Parameters
    ----------
    mean, spread, size, many
        As in `deviation`.
    """
    return STRETCH * mean, REACH * deviation(mean, spread, size, many)
