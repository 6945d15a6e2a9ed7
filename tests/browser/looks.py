"""How a page looked when it was last accepted, and how far from that it looks now.

A picture is kept small and grey: figures and letters are blurs in it, boxes, pictures and colours
of the ground are not. Compared are cells of 20 px, each with those near it, so that other fonts, a
line more or a number of another length are no difference, and a missing picture, a fallen style
sheet or a panel at another place are.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ACCEPTED = Path(__file__).parent / "accepted"
SIZE_WH = (1440, 900)
KEPT_WH = (288, 180)
_CELLS_WH = (72, 45)
_DOWN, _ASIDE = 3, 2  # cells that something may have moved by
_FAR = 24  # grey levels by which a cell differs for sure
MOST_MEAN, MOST_FAR = 4.0, 0.04  # another font: 0.9 and 0.009; the page most alike: 13 and 0.09

Grey = NDArray[np.float64]


def shrink(png: bytes) -> Image.Image:
    """Return a screenshot as it is kept: grey, small, 64 levels."""
    small = Image.open(io.BytesIO(png)).convert("L").resize(KEPT_WH, Image.Resampling.BOX)
    return small.point(lambda level: level // 4 * 4 + 2)


def differences(seen: Image.Image, accepted: Image.Image) -> tuple[float, float]:
    """Return the mean difference of cells in grey levels, and the share that is far off.

    Each way round: what is there and was not counts as what is gone.
    """
    one, other = _cells(seen), _cells(accepted)
    nearest = np.maximum(_to_nearest(one, other), _to_nearest(other, one))
    return float(nearest.mean()), float((nearest > _FAR).mean())


def _cells(picture: Image.Image) -> Grey:
    return np.asarray(picture.resize(_CELLS_WH, Image.Resampling.BOX), np.float64)


def _to_nearest(one: Grey, other: Grey) -> Grey:
    """Return how far each cell is from the most similar one near its place in the other."""
    height, width = one.shape
    padded = np.pad(other, ((_DOWN, _DOWN), (_ASIDE, _ASIDE)), mode="edge")
    shifted = [
        np.abs(one - padded[down : down + height, aside : aside + width])
        for down in range(2 * _DOWN + 1)
        for aside in range(2 * _ASIDE + 1)
    ]
    return np.min(shifted, axis=0)
