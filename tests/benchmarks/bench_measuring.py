"""Regions: our time beside scikit-image's on the same masks, in the same run.

Run with ``python -m tests.benchmarks.bench_measuring``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
from skimage.measure import label, regionprops_table

from core.measuring.regions import label_regions, measure_regions

PROPERTIES = ("area", "perimeter", "orientation", "solidity")


def masks() -> dict[str, np.ndarray]:
    """Return the masks by name."""
    rng = np.random.default_rng(0)
    down, right = np.mgrid[:2048, :2048] - 1023.5
    smooth = cv2.GaussianBlur(rng.normal(size=(1024, 1024)).astype(np.float32), (0, 0), 9)
    sponge = np.ones((1024, 1024), bool)
    sponge[::2, ::2] = False
    return {
        "noise, 15 % dark, 2048²": rng.random((2048, 2048)) > 0.15,
        "single dots, 2048²": rng.random((2048, 2048)) < 0.027,
        "nested rings, 2048²": np.hypot(down, right) % 6 < 3,
        "sponge, 1024²": sponge,
        "blobs, 1024²": smooth > np.quantile(smooth, 0.6),
    }


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Print a line per mask."""
    measure_regions(np.eye(9, dtype=bool))
    print(f"{'mask':28}{'regions':>9}{'ours s':>9}{'split s':>9}{'skimage s':>11}")
    for name, mask in masks().items():
        ours = seconds(lambda mask=mask: measure_regions(mask))
        split = seconds(lambda mask=mask: label_regions(mask, split=True))
        numbers = label(mask, connectivity=2)
        few = numbers.max() < 20_000
        theirs = (
            seconds(lambda n=numbers: regionprops_table(n, properties=PROPERTIES))
            if few
            else float("nan")
        )
        print(f"{name:28}{numbers.max():>9}{ours:>9.2f}{split:>9.2f}{theirs:>11.2f}", flush=True)


if __name__ == "__main__":
    main()
