"""Exact grey-level clusters against scikit-learn's k-means, on the same image in one run.

Run with ``python -m tests.benchmarks.bench_clustering``.
"""

from __future__ import annotations

import os
import platform
import time

import cv2
import numpy as np
import sklearn
from sklearn.cluster import KMeans

from core.imaging.simulation.samples import simulate
from core.measuring.clustering import (
    MIXTURE,
    choose_k_features,
    cluster_features,
    cluster_gray,
    fraction_bands,
)

SIZE_PX, LARGE_PX, FEATURES_PX = 512, 4096, 1024
SEEDS = 10
REPEATS = 15


def timed(call, repeats: int = 1):
    """Return the last result, and the mean wall-clock and processor time in seconds.

    Processor time is that of all threads; other work on the machine hardly touches it.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        result = call()
    spent = time.perf_counter() - wall, time.process_time() - cpu
    return result, spent[0] / repeats, spent[1] / repeats


def compare(name: str, image: np.ndarray, k: int, seeds: int = SEEDS) -> None:
    """Print time, inertia and the spread of area fractions over differently seeded runs."""
    values = image.reshape(-1, 1).astype(np.float64)
    cluster_gray(image, k)
    ours, ours_wall, ours_cpu = timed(lambda: cluster_gray(image, k), REPEATS)
    fractions, inertias, walls, cpus = [], [], [], []
    for seed in range(seeds):
        model = KMeans(k, n_init=10, random_state=seed)
        theirs, wall, cpu = timed(lambda model=model: model.fit(values))
        order = np.argsort(theirs.cluster_centers_.ravel())
        counts = np.bincount(theirs.labels_, minlength=k)[order]
        fractions.append(counts / values.size)
        inertias.append(theirs.inertia_)
        walls.append(wall)
        cpus.append(cpu)
    spread = np.ptp(fractions, axis=0).max()
    again = np.ptp([cluster_gray(image, k).fractions for _ in range(SEEDS)], axis=0).max()
    print(
        f"{name:7s} k={k:<2d} {np.mean(walls) * 1e3:10.1f} {ours_wall * 1e3:8.2f}"
        f" {np.mean(walls) / ours_wall:8.0f} {np.mean(cpus) / ours_cpu:9.0f}"
        f"   {ours.inertia / min(inertias):.9f}  {ours.inertia / max(inertias):.9f}"
        f"   {100 * spread:9.5f} {100 * again:9.5f}"
    )


def main() -> None:
    """Print the comparison at 8 and 16 bits, and our time with all 65,536 levels occupied."""
    print(
        f"python {platform.python_version()}, numpy {np.__version__}, "
        f"scikit-learn {sklearn.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"{SIZE_PX} x {SIZE_PX} px, KMeans(n_init=10) with {SEEDS} seeds; fractions in points of %"
    )
    print(
        f"{'image':7s} {'':4s} {'KMeans ms':>10s} {'ours ms':>8s} {'ratio':>8s} {'cpu ratio':>9s}"
        f"   {'inertia/best':>11s} {'inertia/worst':>12s} {'KMeans ±%':>10s} {'ours ±%':>9s}"
    )
    deep = simulate("dendrites", (SIZE_PX, SIZE_PX), seed=0).micrograph.pixels.astype(np.float64)
    share = (deep - deep.min()) / (deep.max() - deep.min())
    byte, word = (share * 255).astype(np.uint8), (share * 65_535).astype(np.uint16)
    for k in (3, 5, 8):
        compare("8-bit", byte, k)
    compare("16-bit", word, 5)
    every = np.random.default_rng(0).permutation(np.arange(SIZE_PX**2) % 65_536)
    full = every.reshape(SIZE_PX, SIZE_PX).astype(np.uint16)
    for k in (5, 20):
        _, wall, cpu = timed(lambda k=k: cluster_gray(full, k), 3)
        print(f"16-bit, all 65,536 levels, k={k}: {wall * 1e3:.0f} ms, cpu {cpu * 1e3:.0f} ms")
    print(f"{LARGE_PX} x {LARGE_PX} px, one seed")
    compare("8-bit", cv2.resize(byte, (LARGE_PX, LARGE_PX), interpolation=cv2.INTER_CUBIC), 3, 1)
    by_features(cv2.resize(byte, (FEATURES_PX, FEATURES_PX), interpolation=cv2.INTER_CUBIC))


def by_features(image: np.ndarray) -> None:
    """Print how long clusters by features take on a megapixel, and help with their number."""
    print(f"{image.shape[1]} x {image.shape[0]} px by features, 4 clusters")
    for title, call in (
        ("k-means", lambda: cluster_features(image, 4)),
        ("mixture", lambda: cluster_features(image, 4, method=MIXTURE)),
        ("choice of k", lambda: choose_k_features(image)),
        ("bands", lambda: fraction_bands(image, cluster_features(image, 4))),
    ):
        _, wall, cpu = timed(call)
        print(f"{title:12s} {wall:6.2f} s, cpu {cpu:6.2f} s")


if __name__ == "__main__":
    main()
