"""Which side of a threshold holds the objects: how often is the right one taken by itself?

Run with ``python -m tests.benchmarks.bench_sides [STEP]``: every STEP-th picture. Otsu after a
Gaussian of 1 px, overlays left out; the right side is the one that the mask overlaps more. Pictures
are left out where neither side is the masked phase (intersection over union below 0.3, or within
0.15 of each other). Beside it: what `suggest_target` takes of the two sides, without their greys.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from core.imaging.filtering import blur, otsu_threshold
from core.imaging.overlays import find_overlays
from core.measuring.defaults import suggest_target
from core.measuring.segmentation import are_dark
from core.micrograph import Micrograph

DATA = Path(__file__).parents[3] / "shared" / "data"
SETS = ("seg-dendrites", "seg-emps", "seg-spheroidite", "seg-emps-more")


def pairs(name: str, step: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pictures and where their phase lies."""
    for path in sorted((DATA / name).glob("**/images/*.png"))[::step]:
        kind = "instances" if name == "seg-emps-more" else "masks"
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        mask = cv2.imread(str(path.parent.parent / kind / path.name), cv2.IMREAD_UNCHANGED)
        if mask is not None and mask.ndim == 3:
            mask = mask.max(axis=2)
        if image is not None and mask is not None and mask.shape == image.shape:
            yield image, mask > 0


def tell(image: np.ndarray, truth: np.ndarray) -> tuple[bool, bool] | None:
    """Return whether the rule, and `suggest_target`, take the right side; None where none is."""
    exclude = find_overlays(Micrograph("picture", image))
    smooth = blur(image.astype(np.float32), 1.0)
    bright, included = smooth > otsu_threshold(smooth, exclude), ~exclude
    wanted = truth & included
    ious = [np.sum(s & wanted) / max(1, np.sum((s & included) | wanted)) for s in (~bright, bright)]
    if max(ious) < 0.3 or abs(ious[0] - ious[1]) < 0.15:
        return None
    dark = ious[0] > ious[1]
    by_target = suggest_target(np.where(included, bright, -1).astype(np.int32), 2) == 0
    return are_dark(bright, included, image) == dark, by_target == dark


def main(step: int = 1) -> None:
    """Print the table."""
    print("set | pictures | right | right by suggest_target")
    every = []
    for name in SETS:
        found = [each for pair in pairs(name, step) if (each := tell(*pair)) is not None]
        every += found
        right, edge = np.sum(found, axis=0)
        print(f"{name} | {len(found)} | {right} | {edge}", flush=True)
    right, edge = 100 * np.mean(every, axis=0)
    print(f"all | {len(every)} | {right:.1f} % | {edge:.1f} %")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
