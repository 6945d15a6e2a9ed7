"""Clusters against hand-drawn masks: how much of a phase does a clustering without labels find?

Run with ``python -m tests.benchmarks.bench_phases``. Pictures are 512 px wide, as in the reference
pipeline (Otsu, or three means of the grey level). For every picture the clusters are put together
to the mask's classes in the best possible way, hence more clusters have more freedom: the table
names their number, and shows what grey levels alone reach with as many.

The setting called "features" was chosen on six pictures of each set, by masks; the figures are
from other pictures.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from core.measuring.clustering import FeatureSet, cluster_features, cluster_gray

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SETS = ("seg-dendrites", "seg-emps", "seg-spheroidite", "seg-ebc")
WIDTH_PX, LOOKED_AT, MOST = 512, 6, 10
SETTING = FeatureSet(
    gradient=False, laplacian=True, position=True, scales_px=(1, 2, 4, 8, 16), window_px=15
)

Pair = tuple[np.ndarray, np.ndarray]
Method = Callable[[np.ndarray], np.ndarray]


def load(name: str) -> list[Pair]:
    """Return pictures and masks of a set, without those that the setting was chosen on."""
    files = sorted((DATA / name).glob("*/images/*.png"))
    looked_at = set(np.linspace(0, len(files) - 1, LOOKED_AT).astype(int))
    others = [file for place, file in enumerate(files) if place not in looked_at]
    kept = np.linspace(0, len(others) - 1, min(MOST, len(others))).astype(int)
    return [read(others[place]) for place in kept]


def read(file: Path) -> Pair:
    """Return one picture and its mask at the width of the reference."""
    image = np.asarray(Image.open(file).convert("L"))
    mask = np.asarray(Image.open(file.parent.parent / "masks" / file.name))
    size_wh = WIDTH_PX, round(image.shape[0] * WIDTH_PX / image.shape[1])
    small = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
    return small, cv2.resize(mask, size_wh, interpolation=cv2.INTER_NEAREST)


def best_iou(labels: np.ndarray, mask: np.ndarray) -> float:
    """Return the mean IoU over the mask's classes for the best way to put clusters together.

    From two starts, moving one cluster at a time while it helps.
    """
    classes = np.unique(mask)
    shared = np.stack(
        [np.bincount(labels[mask == c], minlength=labels.max() + 1) for c in classes], axis=1
    ).astype(float)
    starts = shared.argmax(axis=1), (shared / shared.sum(axis=0)).argmax(axis=1)
    return max(climb(shared, owner) for owner in starts)


def climb(shared: np.ndarray, owner: np.ndarray) -> float:
    """Return the mean IoU after moving clusters between classes as long as it grows."""
    best, moved = iou(shared, owner), True
    while moved:
        moved = False
        for cluster, to in np.ndindex(shared.shape):
            tried = owner.copy()
            tried[cluster] = to
            if (value := iou(shared, tried)) > best + 1e-12:
                owner, best, moved = tried, value, True
    return best


def iou(shared: np.ndarray, owner: np.ndarray) -> float:
    """Return the mean IoU when each cluster belongs to one class."""
    together = np.zeros((shared.shape[1],) * 2)
    np.add.at(together, owner, shared)
    right = np.diag(together)
    return float(np.mean(right / np.maximum(together.sum(0) + together.sum(1) - right, 1)))


def grey(k: int) -> Method:
    """Cluster grey levels, exactly; two are Otsu's."""
    return lambda image: cluster_gray(image, k).labels


def cleaned(k: int) -> Method:
    """Take the background away, denoise, cluster grey levels, let neighbours vote."""

    def run(image: np.ndarray) -> np.ndarray:
        values = image.astype(np.float32)
        flat = values - cv2.GaussianBlur(values, (0, 0), WIDTH_PX / 4)
        labels = cluster_gray(cv2.bilateralFilter(flat, 0, 25, 3), k).labels
        votes = [cv2.GaussianBlur((labels == n).astype(np.float32), (0, 0), 2) for n in range(k)]
        return np.argmax(votes, axis=0)

    return run


def features(k: int) -> Method:
    """Cluster smoothed greys, curvature, local texture and, weakly, position."""
    return lambda image: cluster_features(image, k, features=SETTING).labels


METHODS: dict[str, Method] = {
    "reference: Otsu": grey(2),
    "reference: 3-means": grey(3),
    "cleaned, 3 means": cleaned(3),
    "features, k = 3": features(3),
    "grey, k = 12": grey(12),
    "features, k = 12": features(12),
}


def main() -> None:
    """Print the mean IoU in per cent per set and method."""
    start = time.perf_counter()
    sets = {name: load(name) for name in SETS}
    counts = ", ".join(f"{name.removeprefix('seg-')} {len(pairs)}" for name, pairs in sets.items())
    print(f"pictures: {counts}; {os.cpu_count()} cores; mean IoU in % after the best matching")
    heads = " ".join(f"{name.removeprefix('seg-'):>12s}" for name in SETS)
    print(f"{'':20s} {heads} {'mean':>8s}")
    for title, method in METHODS.items():
        means = [np.mean([best_iou(method(i), m) for i, m in pairs]) for pairs in sets.values()]
        cells = " ".join(f"{100 * value:12.1f}" for value in means)
        print(f"{title:20s} {cells} {100 * np.mean(means):8.1f}", flush=True)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
