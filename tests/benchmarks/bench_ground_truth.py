"""Do explanations lie on the things? Pointing game and energy inside the mask, per method.

    python tests/benchmarks/bench_ground_truth.py [pictures per kind]

Simulated micrographs with a known mask, the shipped model, each explained for its true class at
the last layer. Pointing: the strongest place lies on the mask, within 8 px of 512 (Zhang et al.
2018, doi:10.1007/s11263-017-1059-x); "strict" allows no distance. Energy: share of the positive
evidence inside the mask (Wang et al. 2020). "Area" is the share of the mask itself, what a map
without knowledge reaches. Frames whose mask covers more than half say little and are left out.

In polyhedra, rods and fibres, spheroids and dendrites the class is a matter of the objects that
the mask shows. In alloys both phases and their pattern make the class, and the mask is only one of
the two: "objects" leaves them out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.imaging.simulation.samples import KINDS, simulate  # noqa: E402
from core.learning.explaining.explanation import METHODS, explain_all  # noqa: E402
from core.learning.models import load_model  # noqa: E402

SIDE, NEAR_PX, MOST_COVERED, CHANNELS = 512, 8, 0.5, 14
FIRST_SEED = 5_000
NUMBERS = ("pointing", "strict", "energy", "area")


def measure(per_kind: int) -> pd.DataFrame:
    """Return one row per picture and method."""
    classifier = load_model("em-morph5", device="cpu")
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * NEAR_PX + 1,) * 2)
    rows = []
    for kind in KINDS:
        seeds = iter(range(FIRST_SEED, FIRST_SEED + 20 * per_kind))
        found = 0
        while found < per_kind and (seed := next(seeds, None)) is not None:
            sample = simulate(kind, shape=(SIDE, SIDE), seed=seed)
            mask = np.asarray(sample.mask, bool)
            if not 0.005 < mask.mean() <= MOST_COVERED:
                continue
            found += 1
            close = cv2.dilate(mask.astype(np.uint8), near) > 0
            maps = explain_all(
                classifier,
                sample.micrograph,
                target=kind,
                methods=tuple(METHODS),
                channels=CHANNELS,
            )
            for name, each in maps.items():
                heat = each.heatmap.astype(np.float64)
                hit = bool(close.flat[heat.argmax()]) if each.has_evidence else False
                strict = float(mask[heat == heat.max()].mean()) if each.has_evidence else 0.0
                energy = heat[mask].sum() / heat.sum() if each.has_evidence else 0.0
                rows.append((kind, name, hit, strict, energy, float(mask.mean())))
    return pd.DataFrame(rows, columns=["kind", "method", *NUMBERS])


def main() -> None:
    """Print the table over all kinds, and the default method kind by kind."""
    per_kind = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    rows = measure(per_kind)
    print(f"em-morph5, {SIDE} x {SIDE}, pictures per kind:")
    print(rows[rows["method"] == "grad-cam"].groupby("kind").size().to_string())
    for title, part in (("all kinds", rows), ("objects", rows[rows["kind"] != "alloys"])):
        table = part.groupby("method")[list(NUMBERS)].mean().sort_values("energy", ascending=False)
        print(f"\n{title}\n{table.round(3).to_string()}")
    for name in ("grad-cam", "eigen-cam"):
        print(f"\n{name}, kind by kind")
        kinds = rows[rows["method"] == name].groupby("kind")[list(NUMBERS)].mean()
        print(kinds.round(3).to_string())


if __name__ == "__main__":
    main()
