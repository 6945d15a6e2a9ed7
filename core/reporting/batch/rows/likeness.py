"""Which micrographs of a batch show the same field, whatever was done to the file in between."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 24
ALIKE = 0.98  # correlation of two descriptions from which they show the same field
_CHUNK = 512


def describe(picture: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Return a picture at 24 x 24 px in standard deviations, times 32; all zero when it is flat.

    Parameters
    ----------
    picture : ndarray of shape (H, W), uint8

    Returns
    -------
    ndarray of shape (576,), int8
    """
    small = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float64)
    spread = small.std()
    if spread < 0.5:  # less than a grey level
        return np.zeros(SIZE * SIZE, np.int8)
    levels = np.clip(np.rint(32 * (small - small.mean()) / spread), -127, 127)
    return np.asarray(levels, dtype=np.int8).ravel()


def find_alike(described: Mapping[int, str]) -> dict[int, int]:
    """Return for each number the first one before it that shows the same field, where there is one.

    Two descriptions are alike from a correlation of 0.98 on: another contrast, format, resolution
    or compression keeps them alike, another field does not.

    Parameters
    ----------
    described : mapping of int to str
        `describe`'s bytes as base64, per number, in ascending order.
    """
    if not described:
        return {}
    numbers = np.array(list(described))
    rows = np.stack(
        [np.frombuffer(base64.b64decode(text), np.int8) for text in described.values()]
    ).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > 0, lengths, np.inf)
    found: dict[int, int] = {}
    for start in range(0, len(rows), _CHUNK):
        close = rows[start : start + _CHUNK] @ rows.T >= ALIKE
        for index, line in enumerate(close, start):
            first = int(np.argmax(line[:index])) if line[:index].any() else index
            if first < index:
                found[int(numbers[index])] = int(numbers[first])
    return found
