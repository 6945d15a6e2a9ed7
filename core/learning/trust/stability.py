"""Does a map stay where it is when the micrograph moves a little or is a little noisier?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.learning.models import shift
from core.learning.trust.agreement import rank_correlation
from core.micrograph import Micrograph

STABLE = 0.8  # mean rank correlation from which a map counts as stable
_COMPARED_PX = 4  # maps are compared on every fourth pixel of the input


@dataclass(frozen=True, slots=True)
class Nudge:
    """A small change that leaves the specimen what it is.

    Parameters
    ----------
    down_px, right_px : int
        Shift in px of the network's input; the uncovered edge is mirrored.
    noise_sd : float
        Standard deviation of added Gaussian noise, as a share of the micrograph's own.
    """

    down_px: int = 0
    right_px: int = 0
    noise_sd: float = 0.0

    def describe(self) -> str:
        """Return the change in words: "4 px down" or "noise of 10 %"."""
        parts = [f"noise of {100 * self.noise_sd:.0f} %"] if self.noise_sd else []
        for distance, positive, negative in (
            (self.down_px, "down", "up"),
            (self.right_px, "right", "left"),
        ):
            if distance:
                parts.append(f"{abs(distance)} px {positive if distance > 0 else negative}")
        return ", ".join(parts) or "no change"


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """Rank correlation of the map with the maps of nudged micrographs, moved back.

    Attributes
    ----------
    nudges : tuple of Nudge
    spearman : ndarray of shape (nudges,), float64, −1 to 1
    """

    nudges: tuple[Nudge, ...]
    spearman: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean over the nudges."""
        return float(self.spearman.mean())

    @property
    def worst(self) -> float:
        """The least similar one."""
        return float(self.spearman.min())

    @property
    def is_stable(self) -> bool:
        """Whether the map keeps its order on average."""
        return self.mean >= STABLE


def measure_stability(
    micrograph: Micrograph,
    exclude: NDArray[Any] | None,
    raw: NDArray[np.floating],
    draw_map: Callable[[Micrograph, NDArray[Any] | None], NDArray[np.floating]],
    nudges: Sequence[Nudge],
    size_hw: tuple[int, int],
    seed: int,
    on_step: Callable[[], object] = lambda: None,
    seen_hw: tuple[int, int] | None = None,
    keep_depth: bool = False,
) -> Stability:
    """Return how a map answers to small changes.

    Parameters
    ----------
    micrograph : Micrograph
    exclude : ndarray of shape (H, W), bool, or None
        Moves with the micrograph.
    raw : ndarray of shape (h', w')
        The map of the micrograph as it is.
    draw_map : callable
        Draws the map of another micrograph, with another mask.
    nudges : sequence of Nudge
    size_hw : tuple of int
        Height and width of the network's input, in px.
    seed : int
        Of the noise.
    on_step : callable
        Called after every map.
    seen_hw : tuple of int, optional
        Height and width of the part of the frame that enters the network, in px of the frame; the
        whole frame when left out. With `size_hw` it says how far the frame moves for a nudge.
    keep_depth : bool
        Whether a nudged micrograph stays of whole grey levels: networks that take those would see
        another window of any other.
    """
    seen_hw = seen_hw or micrograph.shape
    scales = seen_hw[0] / size_hw[0], seen_hw[1] / size_hw[1]
    similar = []
    for number, nudge in enumerate(nudges):
        moved, mask = _nudge(micrograph, exclude, nudge, scales, seed + number)
        if keep_depth:
            most = np.iinfo(micrograph.pixels.dtype).max
            whole = np.rint(np.clip(moved.pixels, 0, most)).astype(micrograph.pixels.dtype)
            moved = Micrograph(moved.name, whole)
        similar.append(_moved_back(raw, draw_map(moved, mask), nudge, size_hw))
        on_step()
    return Stability(tuple(nudges), np.array(similar))


def _nudge(
    micrograph: Micrograph,
    exclude: NDArray[Any] | None,
    nudge: Nudge,
    scales: tuple[float, float],
    seed: int,
) -> tuple[Micrograph, NDArray[Any] | None]:
    pixels = micrograph.pixels.astype(np.float32)
    if nudge.noise_sd:
        seen = pixels[np.isfinite(pixels)]
        spread = float(seen.std(dtype=np.float64)) if seen.size else 0.0
        noise = np.random.default_rng(seed).standard_normal(pixels.shape, np.float32)
        pixels = pixels + np.float32(nudge.noise_sd * spread) * noise
    down = round(nudge.down_px * scales[0])
    right = round(nudge.right_px * scales[1])
    mask = None if exclude is None else shift(exclude.astype(np.uint8), down, right).astype(bool)
    return Micrograph(micrograph.name, shift(pixels, down, right)), mask


def _moved_back(
    raw: NDArray[np.floating], moved: NDArray[np.floating], nudge: Nudge, size_hw: tuple[int, int]
) -> float:
    """Return the rank correlation where both maps show the same specimen."""
    height, width = size_hw
    size_wh = width, height
    before, after = (
        np.asarray(cv2.resize(each.astype(np.float32), size_wh), np.float32)
        for each in (raw, moved)
    )
    down, right = nudge.down_px, nudge.right_px
    own = before[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
    theirs = after[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)]
    step = _COMPARED_PX
    return rank_correlation(own[::step, ::step], theirs[::step, ::step])
