"""The same input gives the same numbers to the last digit, on one thread or two."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CODE = """
import hashlib, sys
import cv2, numpy as np
from core.imaging.simulation import simulate
from core.measuring.attribution import attribution_table
from core.measuring.clustering import choose_k_features, cluster_features, cluster_gray
from core.measuring.clustering import fraction_bands
from core.measuring.embedding import group_images, project_pca
from core.measuring.regions import measure_regions
from core.measuring.statistics import area_fraction

cv2.setNumThreads(int(sys.argv[1]))
micrograph = simulate("spheroids", (256, 320), seed=1).micrograph
heat = cv2.GaussianBlur(micrograph.pixels.astype(np.float64), (0, 0), 9)
rows = np.random.default_rng(0).normal(size=(30, 16))
help_with_k = choose_k_features(micrograph, most=4).table.to_numpy(float).ravel()
bands = fraction_bands(micrograph, cluster_features(micrograph, 4)).to_numpy(float).ravel()
for _ in range(int(sys.argv[2])):
    found = cluster_gray(micrograph, 3)
    regions = measure_regions(found.labels == 2, split=True)
    kinds = [cluster_features(micrograph, 4, method=m) for m in ("k-means", "mixture")]
    numbers = [
        *(part for kind in kinds for part in (kind.fractions, kind.centers, [kind.inertia])),
        help_with_k, bands,
        found.fractions, found.centers, [found.inertia],
        area_fraction(found.labels == 2)[:3],
        attribution_table(heat - heat.min(), found).to_numpy(float).ravel(),
        regions.to_numpy(float).ravel(), group_images(rows, 3).labels,
    ]
    joined = np.concatenate([np.asarray(part, float) for part in numbers])
    print(hashlib.sha256(joined.tobytes()).hexdigest())
"""


def test_ten_runs_on_one_thread_and_two_agree_to_the_last_digit():
    digests = set()
    for threads in ("1", "2"):
        limits = {f"{name}_NUM_THREADS": threads for name in ("OMP", "OPENBLAS", "MKL")}
        done = subprocess.run(
            [sys.executable, "-c", CODE, threads, "5"],
            cwd=ROOT,
            env={**os.environ, **limits},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.update(done.stdout.split())
    assert len(digests) == 1
