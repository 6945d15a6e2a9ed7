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


def median_s(call: Callable[[], object]) -> float:
    """Return the median time of repeated calls, after one to warm up."""
    call()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


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
    start = time.perf_counter()
    theirs = reference_map(image, "contrast")
    reference_s = time.perf_counter() - start
    ours_s = median_s(lambda: glcm_map(image))
    difference = np.abs(glcm_map(image) - theirs).max()
    print(f"contrast, window 5, 2 levels, {SHARED_SIZE_PX} x {SHARED_SIZE_PX} px")
    print(f"  scikit-image per window  {reference_s * 1e3:10.1f} ms")
    print(f"  glcm_map                 {ours_s * 1e3:10.2f} ms")
    print(f"  ratio                    {reference_s / ours_s:10.0f}")
    print(f"  largest difference       {difference:10.1e}")
    print(f"glcm_map, window 5, 2 levels, {OUR_SIZE_PX} x {OUR_SIZE_PX} px")
    image = otsu_mask(OUR_SIZE_PX)
    for prop in PROPERTIES:
        spent_s = median_s(lambda prop=prop: glcm_map(image, prop))
        print(f"  {prop:24s} {spent_s * 1e3:10.2f} ms")


if __name__ == "__main__":
    main()
