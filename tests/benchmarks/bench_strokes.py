"""Painted strokes against hand-drawn masks: how right is a map after 5, 20 and 100 strokes?

Run with ``python -m tests.benchmarks.bench_strokes``. A stroke is a wandering line of 30 px, 3 px
wide, inside one class of the mask, classes in turn. Learned and applied on the same picture; the
painted pixels are left out of the score. Beside it: the same strokes naming twelve clusters of
features, as a person would without learning. Seconds are those of the processor.
"""

from __future__ import annotations

import sys
import time

import cv2
import numpy as np

from core.measuring.clustering import cluster_features
from core.measuring.strokes import learn_pixels, leave_strokes_out
from core.micrograph import Micrograph
from tests.benchmarks.bench_phases import SETS, SETTING, load

COUNTS = (5, 20, 100)
LENGTH_PX, WIDTH_PX = 30, 3


def paint(mask: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return strokes inside the classes of a mask, numbered from 1, classes in turn."""
    painted = np.zeros(mask.shape, np.int32)
    classes = np.unique(mask)
    for turn in range(count):
        own = mask == classes[turn % len(classes)]
        line = np.zeros(mask.shape, np.uint8)
        place = rng.permutation(np.argwhere(own))[0][::-1].astype(float)
        angle = rng.uniform(0, 2 * np.pi)
        for _ in range(LENGTH_PX // 3):
            angle += rng.normal(0, 0.3)
            on = place + 3 * np.array([np.cos(angle), np.sin(angle)])
            cv2.line(line, place.astype(int), on.astype(int), 1, WIDTH_PX)
            place = on
        painted[(line > 0) & own] = 1 + turn % len(classes)
    return painted


def mean_iou(labels: np.ndarray, truth: np.ndarray, scored: np.ndarray) -> float:
    """Return the mean over classes of intersection over union, where it is scored."""
    shares = []
    for phase in np.unique(truth):
        found, real = labels[scored] == phase, truth[scored] == phase
        shares.append(np.sum(found & real) / max(1, np.sum(found | real)))
    return float(np.mean(shares))


def named(image: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """Return phases of clusters that the strokes name by majority; unnamed ones take the first."""
    labels = cluster_features(image, 12, features=SETTING).labels
    votes = np.zeros((12, painted.max() + 1))
    np.add.at(votes, (labels[painted > 0], painted[painted > 0]), 1)
    return votes.argmax(axis=1).clip(1)[labels]


def main(pictures: int | None = None) -> None:
    """Print the table."""
    print("set | strokes | IoU strokes | named clusters | error told / real | fit+apply CPU s/MP")
    every: dict[int, list[tuple[float, float]]] = {count: [] for count in COUNTS}
    for name in SETS:
        pairs = load(name)[:pictures]
        for count in COUNTS:
            rows = [one(image, mask, count, seed) for seed, (image, mask) in enumerate(pairs)]
            mean = np.nanmean(rows, axis=0)
            every[count].append((mean[0], mean[1]))
            print(
                f"{name} ({len(pairs)}) | {count} | {100 * mean[0]:.1f} | {100 * mean[1]:.1f} | "
                f"{100 * mean[2]:.1f} / {100 * mean[3]:.1f} % | {mean[4]:.2f}",
                flush=True,
            )
    for count, values in every.items():
        own, other = 100 * np.mean(values, axis=0)
        print(f"mean of sets | {count} | {own:.1f} | {other:.1f} |", flush=True)


def one(image: np.ndarray, mask: np.ndarray, count: int, seed: int) -> tuple[float, ...]:
    """Return both IoU, the error told and the real one, and seconds a megapixel."""
    rng = np.random.default_rng(seed)
    painted = paint(mask, count, rng)
    truth = 1 + np.searchsorted(np.unique(mask), mask)
    scored = painted == 0
    micrograph = Micrograph("picture", image)
    start = time.process_time()
    labels, _ = learn_pixels([micrograph], [painted]).apply(micrograph)
    took = (time.process_time() - start) / image.size * 1e6
    told = np.nan
    if count >= 20:
        told = 1 - leave_strokes_out([micrograph], [painted]).right.estimate
    real = 1 - np.mean(labels[scored] == truth[scored])
    own, other = mean_iou(labels, truth, scored), mean_iou(named(image, painted), truth, scored)
    return own, other, told, real, took


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
