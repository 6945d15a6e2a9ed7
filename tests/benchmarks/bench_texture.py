"""Texture maps against scikit-image evaluated window by window, on the same image in one run.

Run with ``python -m tests.benchmarks.bench_texture``.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable

import cv2
import numpy as np
import skimage
from skimage.feature import graycomatrix, graycoprops

from core.imaging.filters import otsu_threshold
from core.imaging.simulate import simulate
from core.imaging.texture import PROPERTIES, glcm_map

SHARED_SIZE_PX = 256
OUR_SIZE_PX = 512
REPEATS = 15


def reference_map(image: np.ndarray, prop: str, window: int = 5, levels: int = 2) -> np.ndarray:
    """Evaluate scikit-image on the window around each pixel, clipped to the image."""
    half = window // 2
    result = np.empty(image.shape)
    for row, col in np.ndindex(*image.shape):
        patch = image[max(row - half, 0) : row + half + 1, max(col - half, 0) : col + half + 1]
        matrix = graycomatrix(patch, [1], [0], levels=levels, symmetric=True, normed=True)
        result[row, col] = graycoprops(matrix, prop)[0, 0]
    return result


def timed(call: Callable[[], object], repeats: int = 1) -> tuple[float, float]:
    """Return the median wall-clock time of a call and its mean processor time, in seconds.

    Processor time is that of all threads; other work on the machine hardly touches it.
    """
    walls = []
    cpu_start = time.process_time()
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        walls.append(time.perf_counter() - start)
    return float(np.median(walls)), (time.process_time() - cpu_start) / repeats


def otsu_mask(size_px: int) -> np.ndarray:
    """Return the Otsu mask of a simulated micrograph as 0 and 1."""
    pixels = simulate("alloys", (size_px, size_px), seed=0).micrograph.pixels
    return (pixels > otsu_threshold(pixels)).astype(np.uint8)


def main() -> None:
    """Print the comparison and our times for every property."""
    print(
        f"python {platform.python_version()}, numpy {np.__version__}, opencv {cv2.__version__}, "
        f"scikit-image {skimage.__version__}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    image = otsu_mask(SHARED_SIZE_PX)
    theirs = np.empty(0)

    def run_reference() -> None:
        nonlocal theirs
        theirs = reference_map(image, "contrast")

    reference, reference_cpu = timed(run_reference)
    glcm_map(image)
    ours, ours_cpu = timed(lambda: glcm_map(image), REPEATS)
    difference = np.abs(glcm_map(image) - theirs).max()
    print(f"contrast, window 5, 2 levels, {SHARED_SIZE_PX} x {SHARED_SIZE_PX} px")
    print(f"  {'':24s} {'wall ms':>10s} {'cpu ms':>10s}")
    print(f"  scikit-image per window  {reference * 1e3:10.1f} {reference_cpu * 1e3:10.1f}")
    print(f"  glcm_map                 {ours * 1e3:10.2f} {ours_cpu * 1e3:10.2f}")
    print(f"  ratio                    {reference / ours:10.0f} {reference_cpu / ours_cpu:10.0f}")
    print(f"  largest difference       {difference:10.1e}")
    print(f"glcm_map, window 5, 2 levels, {OUR_SIZE_PX} x {OUR_SIZE_PX} px")
    image = otsu_mask(OUR_SIZE_PX)
    for prop in PROPERTIES:
        glcm_map(image, prop)
        wall, cpu = timed(lambda prop=prop: glcm_map(image, prop), REPEATS)
        print(f"  {prop:24s} {wall * 1e3:10.2f} {cpu * 1e3:10.2f}")


if __name__ == "__main__":
    main()
