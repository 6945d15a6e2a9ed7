"""Texture maps against scikit-image evaluated window by window, on the same image in one run.

Run with ``python -m tests.benchmarks.bench_texture``; with ``--full`` scikit-image evaluates every
window of the 512 × 512 image (about a minute), else those of 64 of its rows, scaled to all.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import skimage
from skimage.feature import graycomatrix, graycoprops

from core.imaging.filtering.pipeline import otsu_threshold
from core.imaging.filtering.texture.maps import PROPERTIES, glcm_map, glcm_maps
from core.imaging.simulation.samples import simulate

SIZE_PX = 512
SAMPLE_ROWS = 64
REPEATS = 15
EIGHT = (
    *("contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation"),
    *("entropy", "mean"),
)


def reference_map(
    image: np.ndarray, rows: range, prop: str, window: int = 5, levels: int = 2
) -> np.ndarray:
    """Evaluate scikit-image on the window around each pixel of some rows, clipped to the image."""
    half = window // 2
    result = np.empty((len(rows), image.shape[1]))
    for place, col in np.ndindex(*result.shape):
        row = rows[place]
        patch = image[max(row - half, 0) : row + half + 1, max(col - half, 0) : col + half + 1]
        matrix = graycomatrix(patch, [1], [0], levels=levels, symmetric=True, normed=True)
        result[place, col] = graycoprops(matrix, prop)[0, 0]
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


def grey_levels(size_px: int, levels: int) -> np.ndarray:
    """Return a simulated micrograph in so many equal grey levels, tiled where it is large."""
    pixels = simulate("alloys", (SIZE_PX, SIZE_PX), seed=0).micrograph.pixels
    image = (pixels.astype(np.float64) * levels / 256).astype(np.uint8)
    times = -(-size_px // SIZE_PX)
    return np.ascontiguousarray(np.tile(image, (times, times))[:size_px, :size_px])


def compare_contrast(full: bool) -> None:
    """Contrast, 5 × 5, 2 levels: ours against scikit-image's windows."""
    image = otsu_mask(SIZE_PX)
    rows = range(SIZE_PX) if full else range(100, 100 + SAMPLE_ROWS)
    theirs = np.empty(0)

    def run_reference() -> None:
        nonlocal theirs
        theirs = reference_map(image, rows, "contrast")

    reference, reference_cpu = (part * SIZE_PX / len(rows) for part in timed(run_reference))
    glcm_map(image)
    ours, ours_cpu = timed(lambda: glcm_map(image), REPEATS)
    difference = np.abs(glcm_map(image)[rows] - theirs).max()
    how = "every window" if full else f"{len(rows)} rows, scaled to all"
    print(f"contrast, window 5, 2 levels, {SIZE_PX} x {SIZE_PX} px; scikit-image: {how}")
    print(f"  {'':24s} {'wall ms':>10s} {'cpu ms':>10s}")
    print(f"  scikit-image per window  {reference * 1e3:10.1f} {reference_cpu * 1e3:10.1f}")
    print(f"  glcm_map                 {ours * 1e3:10.2f} {ours_cpu * 1e3:10.2f}")
    print(f"  ratio                    {reference / ours:10.0f} {reference_cpu / ours_cpu:10.0f}")
    print(f"  largest difference       {difference:10.1e}")


def compare_properties() -> None:
    """Eight properties at once, and each alone, at 32 levels; checked against 4 rows of windows."""
    image = grey_levels(SIZE_PX, 32)
    maps = glcm_maps(image, EIGHT, levels=32)
    wall, cpu = timed(lambda: glcm_maps(image, EIGHT, levels=32), 5)
    print(f"eight properties at once, window 5, 32 levels, {SIZE_PX} x {SIZE_PX} px")
    print(f"  glcm_maps                {wall * 1e3:10.1f} {cpu * 1e3:10.1f}")
    rows = range(200, 202)
    for prop in PROPERTIES:
        wall, cpu = timed(lambda prop=prop: glcm_map(image, prop, levels=32), 5)
        found = maps[prop] if prop in maps else glcm_map(image, prop, levels=32)
        difference = np.abs(found[rows] - reference_map(image, rows, prop, levels=32)).max()
        print(f"  {prop:24s} {wall * 1e3:10.2f} {cpu * 1e3:10.2f}  difference {difference:.1e}")
    wide = grey_levels(SIZE_PX, 256)
    for prop in ("correlation", "entropy"):
        wall, cpu = timed(lambda prop=prop: glcm_map(wide, prop, window=51, levels=256), 3)
        print(f"  {prop + ', 51 px, 256':24s} {wall * 1e3:10.2f} {cpu * 1e3:10.2f}")


def compare_sizes() -> None:
    """Time per pixel from 512² to 4096²."""
    print("nanoseconds per pixel by edge, window 5")
    for prop, levels in (("contrast", 2), ("correlation", 32), ("entropy", 32)):
        row = []
        for size_px in (512, 1024, 2048, 4096):
            image = grey_levels(size_px, levels)
            glcm_map(image, prop, levels=levels)
            call = lambda image=image: glcm_map(image, prop, levels=levels)  # noqa: B023, E731
            row.append(f"{size_px}: {timed(call, 3)[0] / size_px**2 * 1e9:6.1f}")
        print(f"  {prop + f', {levels} levels':24s} " + "  ".join(row))


def measure_memory(prop: str, levels: int) -> None:
    """Print by how much a fresh process grows at most for one map of a 4096² image."""
    image = grey_levels(4096, levels)
    small = np.ascontiguousarray(image[:64, :64])
    glcm_map(small, prop, levels=levels)  # libraries and compiled code are not the map's memory
    before = _status("VmRSS")
    start = time.perf_counter()
    result = glcm_map(image, prop, levels=levels)
    elapsed = time.perf_counter() - start
    grown = (_status("VmHWM") - before) / image.nbytes
    size = f"{image.nbytes / 1e6:.0f} MB"
    print(f"  {prop + f', {levels} levels':24s} {grown:6.2f} × the image ({size})")
    print(f"  {'':24s} of which the result {result.nbytes / image.nbytes:.0f} ×; {elapsed:.2f} s")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def measure_first_call() -> None:
    """Print how long the very first entropy map takes: numba is imported and compiles."""
    image = grey_levels(64, 32)
    start = time.perf_counter()
    glcm_map(image, "entropy", levels=32)
    print(f"  first entropy map of a process {time.perf_counter() - start:6.2f} s")


def in_fresh_process(call: str) -> None:
    """Run one of the functions here in a process of its own."""
    code = f"from tests.benchmarks import bench_texture as b; b.{call}"
    subprocess.run([sys.executable, "-c", code], check=True)


def main() -> None:
    """Print all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="scikit-image on every window")
    full = parser.parse_args().full
    print(
        f"python {platform.python_version()}, numpy {np.__version__}, opencv {cv2.__version__}, "
        f"scikit-image {skimage.__version__}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    in_fresh_process("measure_first_call()")
    compare_contrast(full)
    compare_properties()
    compare_sizes()
    print("memory for one map at 4096 x 4096 px, peak over what the process held", flush=True)
    in_fresh_process("measure_memory('contrast', 2)")
    in_fresh_process("measure_memory('correlation', 32)")
    in_fresh_process("measure_memory('entropy', 32)")


if __name__ == "__main__":
    main()
