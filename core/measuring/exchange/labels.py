"""Label images as TIFF: out for ImageJ, Fiji, napari and QuPath, and in from wherever they come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.display import saving
from core.imaging.reading import read_micrograph
from core.micrograph import PixelSize

MOST_LABELS = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ReadLabels:
    """Regions that another program drew or found.

    Parameters
    ----------
    labels : ndarray of shape (H, W), int32
        1 to N without gaps, 0 elsewhere.
    names : tuple of str
        One per label, as the file has them; words for people. Numbers where it has none.
    notes : tuple of str
        Sentences on what was left out or changed.
    """

    labels: NDArray[np.int32]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.labels.dtype != np.int32:
            raise ValueError(
                f"labels must be (H, W) int32, got {self.labels.shape} {self.labels.dtype}"
            )
        if int(self.labels.max(initial=0)) != len(self.names):
            raise ValueError(f"{int(self.labels.max())} labels have {len(self.names)} names")


def labels_tiff(labels: NDArray[np.integer], pixel_size: PixelSize | None = None) -> bytes:
    """Return a label image (H, W) as an ImageJ TIFF with its scale, see `save_labels_bytes`."""
    return saving.save_labels_bytes(labels, pixel_size)


def read_labels(data: bytes, shape: tuple[int, int], name: str = "labels") -> ReadLabels:
    """Return the regions of a label image: TIFF, PNG or whatever else `read_micrograph` reads.

    Parameters
    ----------
    data : bytes
        The whole file; hostile ones are bounded as micrographs are.
    shape : (H, W)
        Of the micrograph that the labels belong to.
    name : str
        For the sentences about it.

    Returns
    -------
    ReadLabels
        Labels keep their order, not their numbers: these run from 1 without gaps; the names are the
        numbers of the file. A mask of 0 and one other value gives one region.

    Raises
    ------
    UserError
        If the file cannot be read, has another height or width, or holds anything but whole
        numbers from 0, or a million of different ones.
    """
    pixels = read_micrograph(data, name).pixels
    _check_shape(pixels.shape, shape, name)
    if pixels.dtype.kind == "f":
        whole = np.isfinite(pixels) & (pixels == np.floor(pixels)) & (np.abs(pixels) <= 2**24)
        if not whole.all():
            raise UserError(
                f"“{name}” holds values that are no whole numbers, so it is no label image. Export "
                "the labels as TIFF of 16 or 32 bits."
            )
    if pixels.min() < 0:
        raise UserError(
            f"“{name}” holds negative numbers; in a label image 0 is ground and regions count from "
            "1. Export the labels again."
        )
    numbers, places = np.unique(pixels, return_inverse=True)
    if numbers.size > MOST_LABELS:
        raise UserError(
            f"“{name}” holds more than {MOST_LABELS} different numbers; it is hardly a label image."
        )
    without_ground = numbers[numbers > 0]
    labels = places.reshape(shape).astype(np.int32) + np.int32(numbers[0] != 0)
    return ReadLabels(labels, tuple(f"{int(number)}" for number in without_ground))


def _check_shape(found: tuple[int, ...], wanted: tuple[int, int], name: str) -> None:
    """Refuse labels of another picture."""
    if found != wanted:
        raise UserError(
            f"“{name}” is {found[1]} × {found[0]} pixels, the micrograph {wanted[1]} × {wanted[0]}."
            " Load the micrograph that the labels were made for, or export them at its size."
        )
