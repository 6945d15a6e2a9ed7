"""Do explanations lie on the things? Pointing game and energy inside the mask, per method.

    python tests/benchmarks/bench_ground_truth.py [pictures per kind] [methods, with commas] [model]

Simulated micrographs with a known mask, a shipped model, each explained for its true class at
the last layer. Pointing: the strongest place lies on the mask, within 8 px of 512 (Zhang et al.
2018, doi:10.1007/s11263-017-1059-x); "strict" allows no distance. Energy: share of the positive
evidence inside the mask (Wang et al. 2020). "Area" is the share of the mask itself, what a map
without knowledge reaches. Frames whose mask covers more than half say little and are left out.

In polyhedra, rods and fibres, spheroids and dendrites the class is a matter of the objects that
the mask shows. In alloys both phases and their pattern make the class, and the mask is only one of
the two: "objects" leaves them out.

Simulated objects are mostly brighter than the ground, so that brightness alone points at them: each
frame is also shown inverted, and with objects and ground of one mean grey level. A map says
something of the network where it is ahead of every baseline, not of chance only.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.imaging.simulation.samples import KINDS, simulate  # noqa: E402
from core.learning.explaining.explanation import METHODS, explain_all  # noqa: E402
from core.learning.models import SHIPPED, Classifier, load_model  # noqa: E402
from core.micrograph import Micrograph  # noqa: E402

SIDE, NEAR_PX, MOST_COVERED, CHANNELS = 512, 8, 0.5, 14
FIRST_SEED = 5_000
BASELINES = ("random", "sobel", "brightness", "contrast", "random-contrast")
NUMBERS = ("pointing", "strict", "energy", "area")


def as_simulated(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Objects mostly brighter than the ground."""
    return pixels


def inverted(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Objects mostly darker than the ground."""
    return pixels.max() - (pixels - pixels.min())


def of_equal_mean(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Objects and ground of one mean grey level: brightness alone tells them no longer apart."""
    moved = pixels.astype(np.float32)
    moved[mask] += moved[~mask].mean() - moved[mask].mean()
    return moved


VARIANTS = (as_simulated, inverted, of_equal_mean)


def measure(classifier: Classifier, per_kind: int, methods: Sequence[str]) -> pd.DataFrame:
    """Return one row per picture, way of showing it, and method."""
    rows = []
    for kind in KINDS:
        seeds = iter(range(FIRST_SEED, FIRST_SEED + 20 * per_kind))
        found = 0
        while found < per_kind and (seed := next(seeds, None)) is not None:
            of_frame = measure_frame(classifier, kind, seed, methods)
            found += bool(of_frame)
            rows += of_frame
    return pd.DataFrame(rows, columns=["frames", "kind", "seed", "method", *NUMBERS])


def measure_frame(
    classifier: Classifier, kind: str, seed: int, methods: Sequence[str]
) -> list[tuple[object, ...]]:
    """Return one row per way of showing a frame and method; none where the mask says little."""
    sample = simulate(kind, shape=(SIDE, SIDE), seed=seed)
    mask = np.asarray(sample.mask, bool)
    if not 0.005 < mask.mean() <= MOST_COVERED:
        return []
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * NEAR_PX + 1,) * 2)
    close = cv2.dilate(mask.astype(np.uint8), near) > 0
    rows: list[tuple[object, ...]] = []
    for variant in VARIANTS:
        shown = Micrograph(sample.micrograph.name, variant(sample.micrograph.pixels, mask))
        maps = explain_all(classifier, shown, target=kind, methods=methods, channels=CHANNELS)
        for name, each in maps.items():
            heat = each.heatmap.astype(np.float64)
            hit = bool(close.flat[heat.argmax()]) if each.has_evidence else False
            strict = float(mask[heat == heat.max()].mean()) if each.has_evidence else 0.0
            energy = heat[mask].sum() / heat.sum() if each.has_evidence else 0.0
            place = variant.__name__, kind, seed, name
            rows.append((*place, hit, strict, energy, float(mask.mean())))
    return rows


def beat_baselines(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each method's energy less that of the best baseline, with a bootstrap interval."""
    wide = rows.pivot_table(index=["kind", "seed"], columns="method", values="energy")
    known = [name for name in BASELINES if name in wide]
    best = wide[known].mean().idxmax()
    draw = np.random.default_rng(0)
    picks = draw.integers(0, len(wide), (2000, len(wide)))
    found = []
    for name in wide.columns.difference(known):
        ahead = (wide[name] - wide[best]).to_numpy()
        low, high = np.percentile(ahead[picks].mean(axis=1), [2.5, 97.5])
        found.append((name, best, ahead.mean(), low, high))
    table = pd.DataFrame(found, columns=["method", "best baseline", "ahead", "low", "high"])
    return table.sort_values("ahead", ascending=False)


def main() -> None:
    """Print the tables, and what every method is ahead of the best baseline by."""
    per_kind = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    methods = sys.argv[2].split(",") if len(sys.argv) > 2 else [*METHODS, "fine", *BASELINES[2:]]
    model = sys.argv[3] if len(sys.argv) > 3 else SHIPPED
    rows = measure(load_model(model, device="cpu"), per_kind, methods)
    report(rows, model)


def report(rows: pd.DataFrame, model: str) -> None:
    """Print the tables of what was measured."""
    print(f"{model}, {SIDE} x {SIDE}, pictures per kind:")
    one = rows[(rows["method"] == "grad-cam") & (rows["frames"] == "as_simulated")]
    print(one.groupby("kind").size().to_string())
    for frames, of_frames in rows.groupby("frames", sort=False):
        parts = (("all kinds", of_frames), ("objects", of_frames[of_frames["kind"] != "alloys"]))
        for title, part in parts:
            table = part.groupby("method")[list(NUMBERS)].mean()
            table = table.sort_values("energy", ascending=False)
            print(f"\n{frames}, {title}\n{table.round(3).to_string()}")
        print(f"\n{frames}, objects: energy ahead of the best baseline (95 % bootstrap)")
        ahead = beat_baselines(of_frames[of_frames["kind"] != "alloys"])
        print(ahead.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
