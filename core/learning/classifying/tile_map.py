"""A large frame, tile by tile: which class the network names where, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.learning.classifying.classification import BATCH, classify
from core.learning.models import Classifier
from core.micrograph import Micrograph

MOST_TILES = 2_000
SMALLEST_PX = 32
UNSEEN = -1  # a tile without an answer
_SPECIMEN_SHARE = 0.5  # below this a tile is mostly info bar or letters


@dataclass(frozen=True, slots=True, eq=False)
class TileMap:
    """The class of every tile of a frame.

    Attributes
    ----------
    classes : tuple of str
    rows, columns : ndarray of int
        Edges of the tiles in px of the frame: tile (r, c) is
        `[rows[r]:rows[r + 1], columns[c]:columns[c + 1]]`.
    labels : ndarray of shape (R, C), int64
        Index into `classes`; −1 for tiles without an answer.
    probabilities : ndarray of shape (R, C, K), float64
        NaN for tiles without an answer.
    """

    classes: tuple[str, ...]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    @property
    def probability(self) -> NDArray[np.float64]:
        """Probability of each tile's own class, shape (R, C), 0–1; 0 without an answer."""
        own = np.take_along_axis(self.probabilities, np.maximum(self.labels, 0)[..., None], 2)
        return np.where(self.labels == UNSEEN, 0.0, own[..., 0])

    @property
    def shares(self) -> dict[str, float]:
        """Share of the answered tiles that each class has, 0–1, in the order of `classes`."""
        answered = max(1, int((self.labels != UNSEEN).sum()))
        return {
            name: float((self.labels == index).sum() / answered)
            for index, name in enumerate(self.classes)
        }

    def at_pixels(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return label and probability of every pixel, each of shape (H, W)."""
        heights, widths = np.diff(self.rows), np.diff(self.columns)
        labels = self.labels.repeat(heights, axis=0).repeat(widths, axis=1)
        return labels, self.probability.repeat(heights, axis=0).repeat(widths, axis=1)


def map_tiles(
    classifier: Classifier,
    micrograph: Micrograph,
    tile_px: int,
    *,
    exclude: NDArray[Any] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> TileMap:
    """Return the class of every tile, each classified as a micrograph of its own.

    The frame is divided evenly into tiles of about the size asked for, without a rest. A tile
    that is mostly info bar or letters, or that has one grey level only, gets no answer.

    Parameters
    ----------
    classifier : Classifier
    micrograph : Micrograph
    tile_px : int
        Side of a tile in px of the frame, 32 or more.
    exclude : ndarray of shape (H, W), bool, optional
        Pixels that are not specimen.
    on_progress : callable, optional
        Gets the share of tiles that are done, 0 to 1.

    Raises
    ------
    UserError
        If tiles are too small to see anything in, or there are more than 2,000.
    """
    if tile_px < SMALLEST_PX:
        raise UserError(
            f"Tiles of {tile_px} px are too small to tell a class; choose {SMALLEST_PX} px or more."
        )
    rows, columns = (_edges(side, tile_px) for side in micrograph.shape)
    count = (len(rows) - 1) * (len(columns) - 1)
    if count > MOST_TILES:
        raise UserError(
            f"This frame would need {count:,} tiles of {tile_px} px; choose larger ones "
            f"(at most {MOST_TILES:,})."
        )
    shape = (len(rows) - 1, len(columns) - 1)
    labels = np.full(shape, UNSEEN, np.int64)
    probabilities = np.full((*shape, len(classifier.card.classes)), np.nan)
    tiles = _cut(micrograph, exclude, rows, columns)
    for start in range(0, len(tiles), BATCH):
        part = tiles[start : start + BATCH]
        answers = classify(classifier, [t for _, t, _ in part], excludes=[m for _, _, m in part])
        for (place, _, _), answer in zip(part, answers, strict=True):
            labels[place] = classifier.card.classes.index(answer.label)
            probabilities[place] = list(answer.probabilities.values())
        if on_progress is not None:
            on_progress(min(1.0, (start + BATCH) / len(tiles)))
    return TileMap(classifier.card.classes, rows, columns, labels, probabilities)


def _edges(side: int, tile_px: int) -> NDArray[np.int64]:
    return np.linspace(0, side, max(1, round(side / tile_px)) + 1).round().astype(np.int64)


def _cut(
    micrograph: Micrograph,
    exclude: NDArray[Any] | None,
    rows: Sequence[int] | NDArray[np.int64],
    columns: Sequence[int] | NDArray[np.int64],
) -> list[tuple[tuple[int, int], Micrograph, NDArray[Any] | None]]:
    """Return place, micrograph and mask of every tile that can be answered."""
    tiles = []
    for row in range(len(rows) - 1):
        for column in range(len(columns) - 1):
            part = slice(rows[row], rows[row + 1]), slice(columns[column], columns[column + 1])
            pixels = micrograph.pixels[part]
            mask = None if exclude is None else exclude[part]
            if _is_specimen(pixels, mask):
                tile = Micrograph(micrograph.name, np.ascontiguousarray(pixels))
                tiles.append(((row, column), tile, mask))
    return tiles


def _is_specimen(pixels: NDArray[Any], mask: NDArray[Any] | None) -> bool:
    if mask is not None:
        if mask.mean() > 1 - _SPECIMEN_SHARE:
            return False
        pixels = pixels[~mask]
    seen = pixels[np.isfinite(pixels)]
    return seen.size > 0 and bool(seen.min() != seen.max())
