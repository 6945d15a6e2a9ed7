"""A map of a large frame at its native resolution: overlapping tiles, blended."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import UserError
from core.imaging.memory import require_memory
from core.learning.explaining.explanation import (
    EVERY_METHOD,
    Explanation,
    explain,
    layer_name,
    to_frame,
)
from core.learning.explaining.methods.scene import Cost, Scene, score_gradient
from core.learning.models import Classifier, batch_size
from core.micrograph import Micrograph

BATCH = 16
MOST_TILES = 2_000
MOST_TILE_PX = 1024
_FRAME_BYTES_PER_PX = 40  # standardised in doubles, mirrored, blended
_TILE_BYTES_PER_PX = 400  # of a pass and its gradient


def explain_tiled(
    classifier: Classifier,
    micrograph: Micrograph,
    method: str = "grad-cam",
    target: str | None = None,
    layer: str | None = None,
    *,
    tile_px: int = 256,
    exclude: NDArray[Any] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Explanation:
    """Return the evidence for one class, tile by tile, without shrinking the frame.

    Tiles overlap by half and are blended with raised-cosine weights, which add up to one
    everywhere: no seam remains. Grey levels are standardised over the whole frame, so that an
    empty tile stays empty.

    Parameters
    ----------
    classifier : Classifier
    micrograph : Micrograph
    method : str
        Any of `METHODS` that needs one pass, except Finer-CAM.
    target, layer, exclude
        As for `explain`; without a target, the class that the network names for the whole frame.
    tile_px : int
        Side of a tile in px of the frame; a multiple of 64 suits every network.
    on_progress : callable, optional
        Gets the share of tiles that are done, 0 to 1.

    Returns
    -------
    Explanation
        `raw` has the size of the frame.

    Raises
    ------
    UserError
        If the frame would need more than 2,000 tiles, or the method more than one pass.
    """
    if EVERY_METHOD[method].cost is not Cost.ONE_PASS or method == "finer-cam":
        raise UserError(f"{EVERY_METHOD[method].title} is not made for tiles. Choose Grad-CAM.")
    if not 2 <= tile_px <= MOST_TILE_PX:
        raise UserError(f"A tile may have 2 to {MOST_TILE_PX:,} px a side, got {tile_px:,}.")
    _check_tiles(micrograph.shape, tile_px)
    together = batch_size((tile_px, tile_px), BATCH)
    require_memory(
        _FRAME_BYTES_PER_PX * micrograph.pixels.size + together * tile_px**2 * _TILE_BYTES_PER_PX
    )
    layer = layer_name(classifier, layer)
    target = target or explain(classifier, micrograph, exclude=exclude).target
    image, corners = _lay_out(classifier.preparation.native(micrograph, exclude), tile_px)
    blended = np.zeros(image.shape, np.float32)
    window = _raised_cosine(tile_px)
    for start in range(0, len(corners), together):
        part = corners[start : start + together]
        tiles = np.stack([image[r : r + tile_px, c : c + tile_px] for r, c in part])
        for (r, c), drawn in zip(
            part, _maps(classifier, tiles, method, target, layer), strict=True
        ):
            large = cv2.resize(drawn, (tile_px, tile_px), interpolation=cv2.INTER_LINEAR)
            blended[r : r + tile_px, c : c + tile_px] += window * large
        if on_progress is not None:
            on_progress(min(1.0, (start + together) / len(corners)))
    half, (height, width) = tile_px // 2, micrograph.shape
    raw = blended[half : half + height, half : half + width].copy()
    return Explanation(
        to_frame(raw, micrograph.shape), raw, method, target, layer, (0, 0, height, width)
    )


def _check_tiles(shape: tuple[int, int], tile_px: int) -> None:
    """Refuse a frame of too many tiles, before anything of its size is made."""
    half = tile_px // 2
    tiles = math.prod(-(-side // half) + 1 for side in shape)
    if tiles > MOST_TILES:
        raise UserError(
            f"This frame would need {tiles:,} tiles of {tile_px} px; crop it or choose "
            f"larger tiles (at most {MOST_TILES:,})."
        )


def _lay_out(image: NDArray[Any], tile_px: int) -> tuple[NDArray[Any], list[tuple[int, int]]]:
    """Return the frame, mirrored over its edges, and the corners of its tiles.

    Half a tile more on every side: each pixel of the frame then lies in four tiles.
    """
    half = tile_px // 2
    beyond = [(half, half + -side % half) for side in image.shape]
    padded = np.pad(image, beyond, mode="symmetric")
    rows, cols = (range(0, side - tile_px + 1, half) for side in padded.shape)
    return padded, [(row, col) for row in rows for col in cols]


def _raised_cosine(tile_px: int) -> NDArray[np.float32]:
    """Return weights (tile_px, tile_px) that add up to 1 where tiles overlap by half."""
    side = np.sin(np.pi * (np.arange(tile_px) + 0.5) / tile_px) ** 2
    return np.outer(side, side).astype(np.float32)


def _maps(
    classifier: Classifier, tiles: NDArray[Any], method: str, target: str, layer: str
) -> list[NDArray[np.float32]]:
    """Return the signed map of each tile (N, h, w) at the layer's resolution."""
    index = classifier.card.classes.index(target)
    inputs = torch.from_numpy(tiles)[:, None].to(classifier.device)
    with torch.no_grad():
        activation = classifier.activation(inputs, layer)

    def choose(logits: Tensor) -> Tensor:
        weights = torch.zeros_like(logits)
        weights[:, index] = 1
        return weights

    _, gradient = score_gradient(classifier, activation, layer, choose)
    scenes = (
        Scene(classifier, inputs[n : n + 1], layer, activation[n], gradient[n], index, index)
        for n in range(len(tiles))
    )
    return [EVERY_METHOD[method].draw(scene).float().cpu().numpy() for scene in scenes]
