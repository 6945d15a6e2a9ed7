"""A micrograph is looked at once; each prompt is then answered at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, pad

from core.imaging.display import robust_range
from core.learning.models import fill_excluded
from core.micrograph import Micrograph

Mask = NDArray[np.bool_]
Point = tuple[float, float]
Box = tuple[float, float, float, float]
# Mean and deviation of the pictures that the published weights were trained on, of 0 to 1.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_RANGE_PCT = (0.5, 99.5)


@dataclass(frozen=True, eq=False)
class PromptedNetwork:
    """A network that draws the mask of what is pointed at.

    Attributes
    ----------
    model : Module
        In eval mode, without gradients; shared by threads, nothing in it changes.
    side_px : int
        Side of the square at which it sees a frame.
    """

    model: Any = field(repr=False)
    side_px: int

    def look(self, micrograph: Micrograph, exclude: Mask | None = None) -> Seen:
        """Return what the network sees in a micrograph, for any number of prompts.

        Parameters
        ----------
        micrograph : Micrograph
        exclude : ndarray of shape (H, W), bool, optional
            True where something else than specimen shows: it gets the grey of the rest.
        """
        shown, size = _show(micrograph, exclude, self.side_px)
        with torch.inference_mode():
            embedding = self.model.get_image_embeddings(shown)
        return Seen(self, embedding, micrograph.shape, size)


@dataclass(frozen=True, eq=False)
class Seen:
    """A micrograph as the network sees it.

    Attributes
    ----------
    network : PromptedNetwork
    embedding : Tensor of shape (1, C, h, w)
    shape : (int, int)
        Of the micrograph.
    size : (int, int)
        At which it was shown, in the square's corner.
    """

    network: PromptedNetwork
    embedding: Tensor = field(repr=False)
    shape: tuple[int, int]
    size: tuple[int, int]

    def mask(
        self, points: Sequence[Point] = (), *, not_in: Sequence[Point] = (), box: Box | None = None
    ) -> Mask:
        """Return the mask of one object.

        Parameters
        ----------
        points, not_in : sequence of (row, column)
            Places in the object, and outside of it.
        box : (top, left, bottom, right), optional
            In px, around the object.

        Returns
        -------
        ndarray of shape (H, W), bool
            Of one point the likeliest of three answers, since it may mean a part or the whole.

        Raises
        ------
        ValueError
            Without a point in the object and without a box.
        """
        if not points and box is None:
            raise ValueError("a prompt needs a point in the object, or a box around it")
        several = len(points) + len(not_in) == 1 and box is None
        places = [*points, *not_in]
        labels = [1] * len(points) + [0] * len(not_in)
        shares, scores = self.answer(
            [places] if places else None, [labels] if places else None, box, several=several
        )
        return np.asarray((self.enlarged(shares[0, int(scores[0].argmax())]) > 0).numpy())

    def answer(
        self,
        points: Sequence[Sequence[Point]] | None,
        labels: Sequence[Sequence[int]] | None,
        box: Box | None = None,
        *,
        several: bool,
    ) -> tuple[Tensor, Tensor]:
        """Return small masks as logits (prompts, 3 or 1, h, w) and how good each is (prompts, …).

        Parameters
        ----------
        points : sequence of sequences of (row, column), optional
            As many places for each prompt.
        labels : sequence of sequences of int, optional
            1 in the object, 0 outside of it.
        box : (top, left, bottom, right), optional
            Around the object of the only prompt.
        several : bool
            Three answers to each prompt instead of one.
        """
        given: dict[str, Tensor] = {}
        if points is not None:
            given["input_points"] = self._on_square(points)[None]
            given["input_labels"] = torch.tensor(labels)[None]
        if box is not None:
            corners = self._on_square([box[:2], box[2:]])
            given["input_boxes"] = corners.reshape(1, 1, 4)
        with torch.inference_mode():
            found = self.network.model(
                image_embeddings=self.embedding, multimask_output=several, **given
            )
        return found.pred_masks[0], found.iou_scores[0]

    def enlarged(self, logits: Tensor) -> Tensor:
        """Return a small mask (h, w), still as logits, at the micrograph's size."""
        side, (rows, columns) = self.network.side_px, self.size
        how: dict[str, Any] = {"mode": "bilinear", "align_corners": False}
        square = interpolate(logits[None, None], (side, side), **how)
        return interpolate(square[..., :rows, :columns], self.shape, **how)[0, 0]

    def _on_square(self, places: Sequence[Any]) -> Tensor:
        """Return (row, column), pixel centres being whole numbers, as (x, y) on the square."""
        at = np.asarray(places, np.float32) + np.float32(0.5)
        factor = np.asarray(self.size, np.float32) / np.asarray(self.shape, np.float32)
        return torch.from_numpy(np.ascontiguousarray((at * factor)[..., ::-1]))


def _show(
    micrograph: Micrograph, exclude: Mask | None, side_px: int
) -> tuple[Tensor, tuple[int, int]]:
    """Return a frame as the network was taught to see one, (1, 3, side, side), and its size there.

    Its longer side fills the square; below or beside it is nothing.
    """
    pixels = fill_excluded(micrograph.pixels, exclude)
    low, high = robust_range(pixels, *_RANGE_PCT)
    grey = np.clip((pixels - np.float32(low)) / np.float32((high - low) or 1), 0, 1)
    factor = side_px / max(grey.shape)
    rows, columns = (max(1, int(side * factor + 0.5)) for side in grey.shape)
    whole = torch.from_numpy(np.ascontiguousarray(grey, np.float32))[None, None]
    small = interpolate(
        whole, (rows, columns), mode="bilinear", align_corners=False, antialias=True
    )
    mean, deviation = (torch.tensor(each).reshape(1, 3, 1, 1) for each in (_MEAN, _DEVIATION))
    shown = (small.expand(1, 3, rows, columns) - mean) / deviation
    return pad(shown, (0, side_px - columns, 0, side_px - rows)), (rows, columns)
