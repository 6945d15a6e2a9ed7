"""Print in a picture: where it stands and what it says."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.scale.recognisers import Recognisers, load_recognisers

Levels = NDArray[np.uint8]

_LONG_SIDE_PX = 736  # that the detector is given at least: small pictures are enlarged
_MOST_PX = 640_000  # that the detector is given at most, for memory and time; large are reduced
_MOST_ENLARGED = 2.0
_AT_ONCE_PX = 400_000  # above it the detector is given two halves
_OVERLAP_PX = 64  # rows on either side of the line between the halves
_STEP_PX = 32  # sides that the detector takes are multiples of it
_LIKELY = 0.3  # of a pixel to belong to text
_SCORE = 0.5  # of a whole piece
_LEAST_PX = 4  # height of the smallest piece, as the detector sees it
_GROWN = 1.6  # the detector marks the core of a line: area · this / perimeter px are missing
_LINE_PX = 48  # height of a line that the recogniser takes
_WIDEST_PX = 1600
_LEAST_WIDTH_PX = 160
_MOST_PIECES = 32  # nearest the lower edge first
_PATIENCE = 1  # lines read at once: the table of 18,710 characters by steps is large


@dataclass(frozen=True, slots=True)
class Print:
    """A piece of a line of print.

    Attributes
    ----------
    text : str
    score : float
        Mean probability of its characters, 0 to 1.
    left, top, right, bottom : float
        In px of the picture; right and bottom lie just outside.
    """

    text: str
    score: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Of the piece, in px."""
        return self.bottom - self.top


def read_print(levels: Levels, *, enlarged: float = 1.0) -> list[Print]:
    """Return what is printed horizontally into a picture, nearest the lower edge first.

    Parameters
    ----------
    levels : ndarray of shape (H, W), uint8
        Between the extremes.
    enlarged : float
        How many times larger than usual the picture is searched, for small print.

    Raises
    ------
    UserError
        If the networks or their packages are missing.
    """
    networks = load_recognisers()
    boxes = _find_lines(levels, networks, enlarged)[:_MOST_PIECES]
    found: dict[int, Print] = {}
    by_width = sorted(range(len(boxes)), key=lambda i: _aspect(boxes[i]))
    for start in range(0, len(by_width), _PATIENCE):
        some = by_width[start : start + _PATIENCE]
        lines = _recognise([_cut(levels, boxes[i]) for i in some], networks)
        for i, (text, score) in zip(some, lines, strict=True):
            if text.strip():
                found[i] = Print(text.strip(), score, *(float(v) for v in boxes[i]))
    return [found[i] for i in sorted(found)]


def _aspect(box: NDArray[np.float64]) -> float:
    return float((box[2] - box[0]) / max(1.0, box[3] - box[1]))


def _searched_size(shape: tuple[int, ...], enlarged: float) -> tuple[int, int]:
    """Return height and width at which the detector sees a picture."""
    height, width = shape
    factor = min(max(_LONG_SIDE_PX / max(height, width), 1.0), _MOST_ENLARGED) * enlarged
    factor = min(factor, float(np.sqrt(_MOST_PX / (height * width))))
    high, wide = (max(1, round(side * factor / _STEP_PX)) * _STEP_PX for side in shape)
    return high, wide


def _find_lines(levels: Levels, networks: Recognisers, enlarged: float) -> NDArray[np.float64]:
    """Return (N, 4) left, top, right, bottom of lines of print, lowest first."""
    high, wide = _searched_size(levels.shape, enlarged)
    way = cv2.INTER_AREA if high < levels.shape[0] else cv2.INTER_CUBIC
    seen = cv2.resize(levels, (wide, high), interpolation=way).astype(np.float32)
    likely = _likely_text(seen / 127.5 - 1, networks)
    mask = (likely > _LIKELY).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    total = np.bincount(labels.ravel(), likely.ravel(), count)[1:]
    left, top, width, height, area = stats[1:].T.astype(np.float64)
    kept = (height >= _LEAST_PX) & (width >= _LEAST_PX) & (total / np.maximum(area, 1) >= _SCORE)
    grow = area * _GROWN / np.maximum(1, 2 * (width + height))
    boxes = np.stack([left - grow, top - grow, left + width + grow, top + height + grow], 1)
    boxes = boxes[kept] * np.tile([levels.shape[1] / wide, levels.shape[0] / high], 2)
    boxes = np.clip(boxes, 0, np.tile([levels.shape[1], levels.shape[0]], 2))
    return np.asarray(boxes[np.argsort(-boxes[:, 3])], np.float64)


def _likely_text(seen: NDArray[np.float32], networks: Recognisers) -> NDArray[np.float32]:
    """Return how likely each pixel belongs to text, shape (H, W).

    A large picture goes through in two halves, one after the other, since what the detector holds
    in between grows with the picture. They overlap, and each gives what lies on its side.
    """
    high, wide = seen.shape
    if high * wide <= _AT_ONCE_PX or high < 4 * _OVERLAP_PX:
        return _detect(seen, networks)
    middle = high // 2 // _STEP_PX * _STEP_PX
    upper = _detect(seen[: middle + _OVERLAP_PX], networks)[:middle]
    lower = _detect(seen[middle - _OVERLAP_PX :], networks)[_OVERLAP_PX:]
    return np.concatenate([upper, lower])


def _detect(seen: NDArray[np.float32], networks: Recognisers) -> NDArray[np.float32]:
    batch = np.broadcast_to(seen, (1, 3, *seen.shape))
    (likely,) = networks.detector.run(None, {"x": np.ascontiguousarray(batch)})
    return np.asarray(likely[0, 0], np.float32)


def _cut(levels: Levels, box: NDArray[np.float64]) -> Levels:
    """Return one line of print at the recogniser's height."""
    left, top, right, bottom = (int(v) for v in (*np.floor(box[:2]), *np.ceil(box[2:])))
    line = levels[top:bottom, left:right]
    width = int(np.clip(round(_LINE_PX * line.shape[1] / line.shape[0]), 8, _WIDEST_PX))
    return np.asarray(cv2.resize(line, (width, _LINE_PX), interpolation=cv2.INTER_CUBIC), np.uint8)


def _recognise(lines: list[Levels], networks: Recognisers) -> list[tuple[str, float]]:
    """Return text and mean probability of every line."""
    widest = max(_LEAST_WIDTH_PX, *(line.shape[1] for line in lines))
    batch = np.zeros((len(lines), 3, _LINE_PX, -(-widest // 8) * 8), np.float32)
    for row, line in zip(batch, lines, strict=True):
        row[:, :, : line.shape[1]] = line.astype(np.float32) / 127.5 - 1
    (shares,) = networks.recogniser.run(None, {"x": batch})
    return [_decode(share, networks.characters) for share in shares]


def _decode(shares: NDArray[np.float32], characters: tuple[str, ...]) -> tuple[str, float]:
    """Collapse repeats and drop blanks (CTC, best path); shares are (steps, classes)."""
    best = shares.argmax(axis=1)
    kept = (best != 0) & np.append(True, best[1:] != best[:-1])
    if not kept.any():
        return "", 0.0
    text = "".join(characters[i] for i in best[kept])
    return text, float(shares.max(axis=1)[kept].mean())
