"""Regions and slow filters: our time and memory beside scikit-image and OpenCV, in the same run.

Run with ``python -m tests.benchmarks.bench_measuring``; ``memory`` after it, with the side of the
frame, prints the table of peak memory instead.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage
from skimage.measure import label, regionprops_table

from core.imaging.filtering import FILTERS
from core.imaging.filtering.operations import cells
from core.imaging.simulation import simulate
from core.measuring.regions import label_regions, measure_regions

PROPERTIES = ("area", "perimeter", "orientation", "solidity")
SIDE = 8000  # of the frame for peak memory
LIMIT_S = 300
Call = Callable[[], Any]


def masks() -> dict[str, np.ndarray]:
    """Return the masks by name."""
    rng = np.random.default_rng(0)
    down, right = np.mgrid[:2048, :2048] - 1023.5
    smooth = blobs(1024)
    maze = blobs(2048, 4, 0.5)
    sponge = np.ones((1024, 1024), bool)
    sponge[::2, ::2] = False
    return {
        "blobs, 1024²": smooth,
        "noise, 15 % dark, 2048²": rng.random((2048, 2048)) > 0.15,
        "single dots, 2048²": rng.random((2048, 2048)) < 0.027,
        "nested rings, 2048²": np.hypot(down, right) % 6 < 3,
        "labyrinth, 2048²": maze,
        "sponge, 1024²": sponge,
    }


def blobs(side: int, sigma: float = 9, share: float = 0.6) -> np.ndarray:
    """Return smooth noise above a quantile."""
    rng = np.random.default_rng(0)
    grey = cv2.GaussianBlur(rng.normal(size=(side, side)).astype(np.float32), (0, 0), sigma)
    return np.asarray(grey > np.quantile(grey, share))


def seconds(call: Call, times: int = 1) -> float:
    """Return how long a call takes: the shortest of several."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return min(taken)


def regions() -> None:
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
    large = blobs(4096)
    print(f"split, 16 megapixels: {seconds(lambda: label_regions(large, split=True)):.1f} s")


def filters(side: int = 1024) -> None:
    """Print a line per filter: ours and the libraries', same settings where they have them.

    CLAHE as it is, and as it is once its loops are compiled, as in a long batch.
    """
    pixels = simulate("spheroids", (side, side)).micrograph.pixels
    before = FILTERS["clahe"].function(pixels, clip_limit=2.0, tile_px=64)
    by_calls = 1000 * seconds(lambda: FILTERS["clahe"].function(pixels, clip_limit=2.0, tile_px=64))
    cells._loops()
    after = FILTERS["clahe"].function(pixels, clip_limit=2.0, tile_px=64)
    print(
        f"clahe before its loops are compiled: {by_calls:.1f} ms; {(before != after).sum()} differ"
    )
    share = pixels / np.float32(255)
    mask = pixels > 127
    inside = mask.view(np.uint8)
    whole: Any = skimage
    sigma = 8 / 255
    theirs: dict[str, dict[str, Call]] = {
        "clahe": {
            "skimage": lambda: whole.exposure.equalize_adapthist(pixels, 64, 0.01),
            "OpenCV": lambda: cv2.createCLAHE(2.0, (side // 64,) * 2).apply(pixels),
        },
        "non_local_means": {
            "skimage": lambda: whole.restoration.denoise_nl_means(share, 5, 6, sigma, sigma=sigma),
            "OpenCV": lambda: cv2.fastNlMeansDenoising(pixels, None, 8, 5, 13),
        },
        "canny": {
            "skimage": lambda: whole.feature.canny(share.astype(float), 1.5),
            "OpenCV*": lambda: cv2.Canny(cv2.GaussianBlur(pixels, (0, 0), 1.5), 30, 60),
        },
        "remove_small": {
            "skimage": lambda: whole.morphology.remove_small_holes(
                whole.morphology.remove_small_objects(mask, max_size=29, connectivity=2),
                max_size=29,
                connectivity=2,
            )
        },
        "distance_map": {
            "OpenCV": lambda: cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        },
    }
    given = {"remove_small": mask.view(np.uint8) * 255, "distance_map": mask.view(np.uint8) * 255}
    print(f"\n{'filter, 8 bits':20}{'ours ms':>9}   libraries, ms (ratio)")
    for name, others in theirs.items():
        spec = FILTERS[name]
        settings = {each.name: each.default for each in spec.parameters}
        ours = seconds(lambda s=spec, n=name, k=settings: s.function(given.get(n, pixels), **k), 3)
        found = {library: seconds(call, 3) for library, call in others.items()}
        words = (f"{lib} {1e3 * s:.0f} ({ours / s:.2f})" for lib, s in found.items())
        print(f"{name:20}{1e3 * ours:>9.0f}   {', '.join(words)}", flush=True)
    print("* finds other edges: no interpolation between neighbours, thresholds in other units")


def peak_of(name: str, side: int) -> None:
    """Print a filter's peak memory over that of its input, by the input, and its time."""
    cv2.setNumThreads(1)
    spec = FILTERS[name]

    def run(length: int) -> float:
        small = (np.random.default_rng(0).random((length // 8, length // 8)) * 40_000).astype("u2")
        pixels = cv2.resize(small, (length, length), interpolation=cv2.INTER_CUBIC)
        settings = {p.name: p.default for p in spec.parameters}
        settings |= {p.name: pixels for p in spec.parameters if p.kind == "image"}
        if spec.levels is not None:
            settings["levels"] = spec.levels(pixels, None, **settings)
        return seconds(lambda: spec.function(pixels, None, **settings))

    run(512)
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    taken = run(side)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    print(json.dumps([name, peak / (2 * side * side), taken]))


def memory(side: int) -> None:
    """Print every filter's peak memory, its input included, each in a process of its own."""
    print(f"{'filter':20}{'peak / frame':>14}{'s':>8}   ({side} × {side} of 16 bits)")
    for name in FILTERS:
        code = f"from tests.benchmarks import bench_measuring as b; b.peak_of({name!r}, {side})"
        try:
            done = subprocess.run(
                [sys.executable, "-c", code],
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                check=False,
            )
            _, ratio, taken = json.loads(done.stdout)
            print(f"{name:20}{ratio:>14.1f}{taken:>8.1f}", flush=True)
        except (subprocess.TimeoutExpired, ValueError):
            print(f"{name:20}{'–':>14}{'–':>8}   no answer within {LIMIT_S} s", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        memory(int(sys.argv[2]) if sys.argv[2:] else SIDE)
    else:
        regions()
        filters()
