"""Where in the frame a model sees its classes, on average: form is everywhere, a logo is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.overlays import find_overlays
from core.learning.explaining import explain
from core.learning.models import Classifier
from core.learning.training.pictures import LabelledPicture

SIDE_PX = 32
MOST_EACH = 12  # pictures of a class that are asked about
Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class MeanMap:
    """The evidence for one class, averaged over its pictures with overlays shown.

    Attributes
    ----------
    label : str
    heat : ndarray of shape (32, 32), float64
        Mean share of the frame's evidence, the largest value 1.
    overlay_share : float
        Mean share of the evidence on info bars and letters, 0–1, of the pictures that have some.
    overlay_area : float
        Their mean share of the frame, 0–1; 0 where no picture has any.
    pictures : int
    """

    label: str
    heat: Array
    overlay_share: float
    overlay_area: float
    pictures: int


def mean_maps(
    classifier: Classifier,
    pictures: Sequence[LabelledPicture],
    on_progress: Callable[[int, int], None] | None = None,
) -> list[MeanMap]:
    """Return a map per class, over at most twelve of its pictures.

    Overlays are shown to the network here: what it would make of them is the question.
    """
    asked: dict[str, list[LabelledPicture]] = {}
    for picture in pictures:
        if len(asked.setdefault(picture.label, [])) < MOST_EACH:
            asked[picture.label].append(picture)
    total, done = sum(map(len, asked.values())), 0
    found = []
    for label, own in asked.items():
        heats, shares, areas = [], [], []
        for picture in own:
            heat, share, area = _look(classifier, picture)
            heats.append(heat)
            if area > 0:
                shares.append(share)
                areas.append(area)
            done += 1
            if on_progress is not None:
                on_progress(done, total)
        mean = np.mean(heats, axis=0)
        found.append(
            MeanMap(
                label,
                mean / max(float(mean.max()), 1e-12),
                float(np.mean(shares)) if shares else 0.0,
                float(np.mean(areas)) if areas else 0.0,
                len(own),
            )
        )
    return found


def _look(classifier: Classifier, picture: LabelledPicture) -> tuple[Array, float, float]:
    heat = explain(classifier, picture.micrograph, target=picture.label).heatmap.astype(float)
    mask = find_overlays(picture.micrograph)
    total = float(heat.sum())
    share = float(heat[mask].sum()) / total if total > 0 else 0.0
    small = cv2.resize(heat, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return small / max(float(small.sum()), 1e-12), share, float(mask.mean())
