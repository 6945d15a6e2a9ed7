"""What a mask drawn by a person would give: people's outlines run outside of the edge.

A measurement and its look-alikes take the edge where greys pass halfway from ground to object.
Around particles that were outlined by hand that place lies inside of the line, by about a pixel
whatever the particles' size, the width of their edges or the noise (`OUTSIDE_PX`). That is no error
of the measurement, but whoever compares it with a drawn mask meets it, and small objects most.

References
----------
Crofton's formula, as in Santaló (2004), Integral Geometry and Geometric Probability, Cambridge,
chapter 3: the mean chord of a figure is pi times its area by its perimeter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.measuring.twins.errors import QUANTITIES, Quantities

Floats = NDArray[np.float64]
# By how many px outlines that people drew lie outside of where greys pass halfway: the middle and
# what 95 % lie between, of 60 pictures of EMPS (seg-emps, 512 px high). It goes with neither the
# chord, the width of edges nor the noise (correlations of -0.1 to 0.0 of logarithms). On pictures
# that this was not learned from: carbides 0.1 to 1.1 px (8), dendrites 0.4 to 1.5 px (13).
OUTSIDE_PX = (1.2, -0.1, 2.9)
_FRACTION, _CHORD = QUANTITIES.index("fraction"), QUANTITIES.index("chord")
_SIZES = [QUANTITIES.index(name) for name in ("d10", "d50", "d90")]


def drawn_by_hand(
    true: Quantities, low: Quantities, high: Quantities, pixel: float, chord: float | None = None
) -> tuple[Quantities, Quantities, Quantities]:
    """Return what a person's mask is expected to give, and its 95 % limits.

    Parameters
    ----------
    true, low, high : Quantities
        Of what ends where greys pass halfway: expected, and its limits. The count and the
        circularity stay: which objects a person would draw is not known.
    pixel : float
        Edge of a pixel in the unit of lengths.
    chord : float, optional
        Mean chord, where that of `true` is not known.
    """
    chord = true.chord if chord is None else chord
    middle, inner, outer = (_moved(true.to_array(), by * pixel, chord) for by in OUTSIDE_PX)
    below = np.hypot(true.to_array() - low.to_array(), middle - inner)
    above = np.hypot(high.to_array() - true.to_array(), outer - middle)
    highest = np.where(np.arange(middle.size) == _FRACTION, 1.0, np.inf)
    limits = (middle, np.maximum(middle - below, 0), np.minimum(middle + above, highest))
    return tuple(Quantities.of(each) for each in limits)  # type: ignore[return-value]


def _moved(values: Floats, outwards: float, chord: float) -> Floats:
    """Return quantities after all outlines moved outwards by a length."""
    moved = values.copy()
    moved[_FRACTION] = min(values[_FRACTION] * (1 + np.pi * outwards / chord), 1.0)
    moved[_SIZES] += 2 * outwards
    moved[_CHORD] += np.pi / 2 * outwards
    return moved
