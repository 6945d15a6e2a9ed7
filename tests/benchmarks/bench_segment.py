"""Segment: phases by twenty strokes, objects without a setting, and what both take.

Run with ``python -m tests.benchmarks.bench_segment [PICTURES]``: at most so many of each set.

Strokes as in `bench_strokes`. Objects: the validation pictures of EMPS, every particle numbered by
hand. AP50 is found / (found + missed + invented) at an intersection over union of a half, mean
over pictures. Otsu after a Gaussian of 1 px on the side that stands out, split or not, is what
Segment starts with; a network stands beside it where one is installed. Seconds are the
processor's, of one megapixel.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from core.imaging.filtering import Pipeline, Step
from core.imaging.overlays import find_overlays
from core.imaging.simulation import simulate
from core.measuring.segmentation import agreement, from_chain, objects_of
from core.measuring.strokes import describe_pixels, learn_pixels
from core.micrograph import Micrograph
from tests.benchmarks.bench_phases import SETS, load
from tests.benchmarks.bench_strokes import mean_iou, paint

EMPS = Path(__file__).parents[3] / "shared" / "data" / "seg-emps" / "val"
STROKES = 20
LEAST_PX = 30


def phases(most: int | None) -> None:
    """Print mean IoU of strokes over the four sets."""
    print(f"set | pictures | mean IoU after {STROKES} strokes | right away from them")
    means = []
    for name in SETS:
        rows = []
        for seed, (image, mask) in enumerate(load(name)[:most]):
            painted = paint(mask, STROKES, np.random.default_rng(seed))
            truth = 1 + np.searchsorted(np.unique(mask), mask)
            micrograph = Micrograph("picture", image)
            labels, _ = learn_pixels([micrograph], [painted]).apply(micrograph)
            scored = painted == 0
            right = np.mean(labels[scored] == truth[scored])
            rows.append((mean_iou(labels, truth, scored), right))
        iou, right = np.mean(rows, axis=0)
        means.append(iou)
        print(f"{name} | {len(rows)} | {100 * iou:.1f} | {100 * right:.1f} %", flush=True)
    print(f"mean of sets | | {100 * np.mean(means):.1f} |", flush=True)


def otsu(micrograph: Micrograph, exclude: np.ndarray, *, split: bool) -> np.ndarray:
    chain = Pipeline([Step("gaussian", {"sigma_px": 1.0}), Step("otsu")])
    found = from_chain(micrograph, chain, exclude=exclude)
    return objects_of(found, 1, min_area_px=LEAST_PX, split=split).labels


def network(micrograph: Micrograph, exclude: np.ndarray) -> np.ndarray:
    from core.learning.particles import find_particles

    return find_particles(micrograph, exclude=exclude)


def objects(most: int | None) -> None:
    """Print AP50 and errors of counts on pictures whose particles are numbered by hand."""
    ways: dict[str, Callable[[Micrograph, np.ndarray], np.ndarray]] = {
        "Otsu": lambda m, e: otsu(m, e, split=False),
        "Otsu + split": lambda m, e: otsu(m, e, split=True),
    }
    if find_spec("core.learning.particles") is not None:
        ways["find_particles"] = network
    print("\nEMPS val | AP50 | F1 | count error, median | count within 20 %")
    for name, way in ways.items():
        rows = [score(path, way) for path in sorted((EMPS / "images").glob("*.png"))[:most]]
        ap50, f1, error = np.array(rows).T
        print(
            f"{name} ({len(rows)}) | {100 * ap50.mean():.1f} | {100 * np.nanmean(f1):.1f} | "
            f"{100 * np.median(error):.0f} % | {100 * np.mean(error <= 0.2):.0f} %",
            flush=True,
        )


def score(
    path: Path, way: Callable[[Micrograph, np.ndarray], np.ndarray]
) -> tuple[float, float, float]:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    truth = cv2.imread(str(EMPS / "instances" / path.name), cv2.IMREAD_UNCHANGED)
    if image is None or truth is None:
        raise FileNotFoundError(path)
    micrograph = Micrograph(path.name, image)
    found = way(micrograph, find_overlays(micrograph))
    both = agreement(found, truth.astype(np.int32))
    missed, invented = both.second - both.matched, both.first - both.matched
    ap50 = both.matched / max(1, both.matched + missed + invented)
    return ap50, both.f1, abs(both.first - both.second) / max(1, both.second)


def speed() -> None:
    """Print what a megapixel takes: seconds of the processor, and on the clock."""
    scene = simulate("alloys", shape=(1024, 1024), seed=0)
    micrograph = scene.micrograph
    painted = paint(scene.mask.astype(np.uint8), STROKES, np.random.default_rng(0))
    learn_pixels([micrograph], [painted])  # packages are loaded
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def take(name: str, work: Callable[[], object]) -> object:
        clock, own = time.perf_counter(), time.process_time()
        result = work()
        spent = time.perf_counter() - clock, time.process_time() - own
        print(f"{name} | {spent[1]:.2f} | {spent[0]:.2f}", flush=True)
        return result

    print("\none megapixel | CPU s | s on the clock (of this machine as it was)")
    maps = take("what surrounds each pixel, once", lambda: describe_pixels(micrograph))
    take(
        "trees: learn and answer after a stroke",
        lambda: learn_pixels([micrograph], [painted], described=[maps]).apply(  # type: ignore[list-item]
            micrograph,
            described=maps,  # type: ignore[arg-type]
        ),
    )
    take(
        "quick preview after a stroke",
        lambda: learn_pixels([micrograph], [painted], described=[maps], preview=True).apply(  # type: ignore[list-item]
            micrograph,
            described=maps,  # type: ignore[arg-type]
        ),
    )
    _peak(before)
    wide = Micrograph("16 megapixels", np.tile(micrograph.pixels, (4, 4)))
    strokes = np.zeros(wide.shape, np.int32)
    strokes[:1024, :1024] = painted
    large = take("16 megapixels: what is looked at once", lambda: describe_pixels(wide))
    model = take(
        "16 megapixels: trees learn",
        lambda: learn_pixels([wide], [strokes], described=[large]),  # type: ignore[list-item]
    )
    take(
        "16 megapixels: describe and answer after a stroke",
        lambda: model.apply(wide, described=large),  # type: ignore[attr-defined]
    )
    _peak(before)


def _peak(before: int) -> None:
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak above what was there before: {(after - before) / 1024:.0f} MB", flush=True)


def main(most: int | None = None) -> None:
    """Print all tables."""
    speed()
    phases(most)
    objects(most)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
