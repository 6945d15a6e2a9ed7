"""Which cluster is measured when nobody has chosen: how often is it the masked phase?

Run with ``python -m tests.benchmarks.bench_target [STEP]``: every STEP-th picture. Clusters of grey
level as the page makes them; the right one overlaps the mask most. Pictures are left out where none
does (intersection over union below 0.3, or within 0.15 of the next). Then frames of spheres that
fill more than half of the frame, on black: how often the ground is taken.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

from core.imaging.overlays import find_overlays
from core.measuring.clustering import Clustering, decide_smoothing, group_pixels
from core.measuring.defaults import suggest_target
from core.micrograph import Micrograph
from tests.benchmarks.bench_sides import DATA, SETS, pairs


def group(image: np.ndarray, k: int) -> Clustering:
    """Return clusters as the page makes them."""
    micrograph = Micrograph("picture", image)
    exclude = find_overlays(micrograph)
    smoothing = decide_smoothing(micrograph, k, exclude=exclude)
    return group_pixels(micrograph, k, exclude=exclude, smoothing=smoothing)


def tell(found: Clustering, truth: np.ndarray) -> bool | None:
    """Return whether the target is the masked phase; None where no cluster is."""
    wanted = truth & (found.labels >= 0)
    ious = [
        np.sum((found.labels == number) & wanted)
        / max(1, np.sum((found.labels == number) | wanted))
        for number in range(found.k)
    ]
    second, best = sorted(ious)[-2:]
    if best < 0.3 or best - second < 0.15:
        return None
    return suggest_target(found.labels, found.k, found.centers) == int(np.argmax(ious))


def main(step: int = 1) -> None:
    """Print the table."""
    print("set | clusters | pictures | right")
    for name in SETS:
        for k in (2, 3):
            told = [tell(group(image, k), truth) for image, truth in pairs(name, step)]
            known = [each for each in told if each is not None]
            print(f"{name} | {k} | {len(known)} | {sum(known)}", flush=True)
    frames = sorted(DATA.glob("em-morph5*/**/ampis_Sc*.png"))
    for k in (2, 3):
        found = [group(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), k) for path in frames]
        dark = sum(suggest_target(each.labels, k, each.centers) == 0 for each in found)
        print(f"frames of spheres, {k} clusters | {len(frames)} | ground taken {dark} times")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
