"""Particles without a setting, against instances drawn by hand: which are found, and how many?

Run with ``python -m tests.benchmarks.bench_particles``. EMPS (`val`, all pictures) has a number
for every particle; of the other sets, where masks have no numbers, what is connected counts as one.
Beside `find_particles`: Otsu's threshold (bright side, Gaussian of 1.2 px, overlays excluded, parts
below 30 px dropped) with the project's split, and with ImageJ's way of splitting (holes filled, the
distance map's maxima that stand out by half a pixel).

AP50 is TP / (TP + FP + FN) at an IoU above 0.5, the mean over pictures; F1 pools all particles.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import skimage
from PIL import Image

from core.imaging.filtering import blur, otsu_threshold
from core.imaging.overlays import find_overlays
from core.imaging.parting import without_holes
from core.learning.particles import find_by_shape, find_particles
from core.learning.particles_training import Score, compare, summary
from core.measuring.regions import label_regions
from core.micrograph import Micrograph

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SETS = {
    "seg-emps": ("val", "instances", 99),
    "seg-dendrites": ("val", "masks", 6),
    "seg-spheroidite": ("val", "masks", 2),
    "seg-ebc": ("train", "masks", 6),
}
SIDE_PX, SMALLEST_PX = 768, 30
Method = Callable[[Micrograph], np.ndarray]


def read(file: Path, kind: str) -> tuple[Micrograph, np.ndarray]:
    """Return one picture, at most so large, and its numbered objects."""
    image = np.asarray(Image.open(file).convert("L"))
    labels = np.asarray(Image.open(file.parent.parent / kind / file.name)).astype(np.uint16)
    if kind == "masks":
        labels = label_regions(labels == 1, min_area_px=SMALLEST_PX).astype(np.uint16)
    factor = min(1.0, SIDE_PX / max(image.shape))
    if factor < 1:
        size_wh = round(image.shape[1] * factor), round(image.shape[0] * factor)
        image = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
        labels = cv2.resize(labels, size_wh, interpolation=cv2.INTER_NEAREST)
    return Micrograph(name=file.stem, pixels=image), labels


def bright(micrograph: Micrograph) -> np.ndarray:
    """Return what Otsu's threshold calls bright."""
    hidden = find_overlays(micrograph)
    smooth = blur(micrograph.pixels.astype(np.float32), 1.2)
    return (smooth > otsu_threshold(smooth, hidden)) & ~hidden


def otsu_and_split(micrograph: Micrograph) -> np.ndarray:
    """Return the project's regions of that, split."""
    return label_regions(bright(micrograph), split=True, neck_depth_px=1.5, min_area_px=SMALLEST_PX)


def as_imagej(micrograph: Micrograph) -> np.ndarray:
    """Return the regions of that as Fill Holes and Watershed leave them."""
    inside = without_holes(bright(micrograph))
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    peaks = skimage.measure.label(skimage.morphology.h_maxima(distance, 0.5))
    parts = skimage.segmentation.watershed(-distance, peaks, mask=inside)
    areas = np.bincount(parts.ravel())
    return np.where(areas[parts] >= SMALLEST_PX, parts, 0)


METHODS: dict[str, Method] = {
    "find_particles": find_particles,
    "by threshold and shape": find_by_shape,
    "Otsu + split": otsu_and_split,
    "Otsu + watershed of ImageJ": as_imagej,
}


def measured(method: Method, micrograph: Micrograph, truth: np.ndarray) -> tuple[Score, float]:
    """Return the score of a method on one picture, and its CPU seconds for a megapixel."""
    started = time.process_time()
    found = method(micrograph)
    return compare(found, truth), (time.process_time() - started) / (truth.size / 1e6)


def line(name: str, method: str, scores: list[Score], seconds: float) -> str:
    """Return one row of the table."""
    told = summary(scores)
    return (
        f"{name:20} {method:27} {told['ap50_pct']:5.1f} {told['f1_pct']:5.1f} "
        f"{told['median_count_error_pct']:7.1f} {told['within_20_pct_of_count_pct']:7.0f} "
        f"{seconds:7.2f}"
    )


def main() -> None:
    """Print one row a set and method."""
    print(f"{'':48} {'AP50':>5} {'F1':>5} {'count':>7} {'within':>7} {'CPU':>7}")
    print(f"{'':48} {'%':>5} {'%':>5} {'error %':>7} {'20 %':>7} {'s/MP':>7}")
    for name, (split, kind, most) in SETS.items():
        files = sorted((DATA / name / split / "images").glob("*.png"))[:most]
        pairs = [read(file, kind) for file in files]
        scores: dict[str, list[Score]] = {}
        for method, call in METHODS.items():
            rows = [measured(call, *pair) for pair in pairs]
            scores[method] = [found for found, _ in rows]
            seconds = float(np.median([took for _, took in rows]))
            print(line(f"{name} ({len(files)})", method, scores[method], seconds), flush=True)
        ours = scores.pop("find_particles")
        for method, theirs in scores.items():
            better = sum(a.ap50 > b.ap50 for a, b in zip(ours, theirs, strict=True))
            worse = sum(a.ap50 < b.ap50 for a, b in zip(ours, theirs, strict=True))
            print(f"{'':20} better than {method}: {better}, worse: {worse}", flush=True)


if __name__ == "__main__":
    main()
