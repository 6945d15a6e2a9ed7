"""Are the parts between a region's necks objects that touch, or one object with a rough outline?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.measuring.defaults import SMALLEST_PX
from core.measuring.regions.runs import Floats, Integers, Labels
from core.measuring.regions.shapes.hulls import measure_filling

LEAST_SOLIDITY = 0.875  # of parts together: particles fill their hulls, rough ground does not
_CLEAR, _LITTLE = (
    0.35,
    0.6,
)  # of what a region lacks of its hull, its parts may still lack of theirs
_MANY = 5  # parts, from which on their sizes tell
_UNLIKE = 0.85  # standard deviation of such sizes by their mean


def belong_apart(parts: Labels, whole: Labels, least: float = LEAST_SOLIDITY) -> NDArray[np.bool_]:
    """Return which regions are objects that touch.

    Parts together fill so much of their convex hulls, and they are alike in size (five or more of
    them) or lack much less of their hulls than the region does of its own: cuts that do not make
    things more convex have no reason.

    Both limits were chosen on 80 pictures of EMPS whose particles were outlined by hand; of 44
    regions with five and more parts the sizes of true parts spread by at most 0.70, of false ones
    by at least 1.08.

    Parameters
    ----------
    parts, whole : ndarray of shape (H, W), int32
        Numbered parts, and the regions that they are parts of; 0 elsewhere.
    least : float
        Of the parts' pixels by those of their hulls.

    Returns
    -------
    ndarray of shape (regions + 1,), bool
        False for the ground and for regions of one part.
    """
    regions = int(whole.max()) + 1
    owner = np.zeros(int(parts.max()) + 1, np.int64)
    owner[parts.ravel()] = whole.ravel()
    cut = np.bincount(owner, minlength=regions) > 1
    cut[0] = False
    if not cut.any():
        return cut
    area, hull = measure_filling(_only(cut[owner])[parts])
    own_area, own_hull = measure_filling(_only(cut)[whole])
    owner = (np.cumsum(cut) - 1)[owner[cut[owner]]]
    filled, hulls = (np.bincount(owner, each) for each in (area, hull))
    lacking = (1 - filled / hulls) / np.maximum(1 - own_area / own_hull, np.finfo(float).tiny)
    parted = area >= SMALLEST_PX
    counts, spread = _spread(owner[parted], area[parted], own_area.size)
    alike = (counts >= _MANY) & (spread < _UNLIKE)
    apart = alike | (lacking <= np.where(counts < _MANY, _LITTLE, _CLEAR))
    cut[cut] = apart & (filled >= least * hulls)
    return cut


def _only(wanted: NDArray[np.bool_]) -> Labels:
    """Return new numbers for wanted labels, from 1 without gaps, and 0 for the others."""
    return np.asarray(np.cumsum(wanted) * wanted, np.int32)


def _spread(owner: Integers, sizes: Floats, regions: int) -> tuple[Integers, Floats]:
    """Return of each region how many parts it has, and how their sizes spread by their mean."""
    counts = np.bincount(owner, minlength=regions)
    mean = np.bincount(owner, sizes, regions) / np.maximum(counts, 1)
    square = np.bincount(owner, (sizes - mean[owner]) ** 2, regions) / np.maximum(counts, 1)
    return counts, np.sqrt(square) / np.maximum(mean, 1)
