"""Which map is the most faithful, and does it beat every map that knows nothing of the network?

    python tests/benchmarks/bench_faithful.py [pictures per kind] [methods, with commas] [model]

Simulated micrographs with a known mask, and real ones with a mask (by hand, from published sets)
that are in no training set of the model, neither themselves nor another picture of their article.
Each is explained at the last layer: simulated ones for the class that they show, real ones for the
class that the network names.

Deletion and insertion: area under the probability while the hottest share of the frame is removed,
or put back, filled with the mean grey (Petsiuk et al. 2018, arXiv:1806.07421); gain is insertion
less deletion. ROAD: coldest less hottest removed, imputed (Rong et al. 2022, arXiv:2202.00449).
Strict: the strongest place lies on the mask. Energy: share of the positive evidence on the mask.

A baseline knows nothing of the network: random, edges, brightness, distance from the mean grey and
that times noise. Per measure every method stands beside the best baseline, with a bootstrap
interval over frames of the paired difference. The default is the best by gain of those that take
two passes or less.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.imaging.overlays import find_overlays  # noqa: E402
from core.imaging.reading import read_micrograph  # noqa: E402
from core.imaging.simulation import simulate  # noqa: E402
from core.learning.explaining import explain_all  # noqa: E402
from core.learning.models import SHIPPED, Classifier, load_model  # noqa: E402
from core.learning.trust.perturbation import MEAN, Perturber, Steps  # noqa: E402
from core.learning.trust.ranking import rank_map  # noqa: E402
from core.micrograph import Micrograph  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
SIDE, MOST_COVERED, FIRST_SEED, MOST_REAL = 512, 0.5, 9_000, 60
METHODS = ("grad-cam", "grad-cam++", "layercam", "eigen-cam", "eigengrad-cam", "finer-cam")
BASELINES = ("random", "sobel", "brightness", "contrast", "random-contrast")
STEPS = Steps((0.0, 0.1, 0.5, 0.9, 1.0), road_shares=(0.2, 0.5), fills=(MEAN,))
MEASURES = ("gain", "insertion", "deletion", "road", "energy", "strict")
LOWER_IS_BETTER = ("deletion",)
Frame = tuple[str, Micrograph, np.ndarray, np.ndarray | None]


def simulated(classes: Sequence[str], per_kind: int) -> Iterator[Frame]:
    """Yield class, micrograph and mask of frames that are half covered at most."""
    for kind in classes:
        found = 0
        for seed in range(FIRST_SEED, FIRST_SEED + 20 * per_kind):
            sample = simulate(kind, shape=(SIDE, SIDE), seed=seed)
            if found < per_kind and 0.005 < sample.mask.mean() <= MOST_COVERED:
                found += 1
                yield kind, sample.micrograph, np.asarray(sample.mask, bool), None


def real() -> Iterator[Frame]:
    """Yield the same of published pictures that no training of the model has seen.

    Particles (EMPS), many without a class: each is explained for the one that the network names.
    """
    names, groups = set(), set()
    for table in ("em-morph5-full/labels.csv", "em-morph5-more/labels.csv"):
        for row in csv.DictReader((DATA / table).open(encoding="utf-8")):
            names.add(Path(row["file"]).stem.rpartition("_")[2])
            groups.add(row["group"].removeprefix("doi_"))
    for folder in ("seg-emps", "seg-emps-more"):
        for row in csv.DictReader((DATA / folder / "index.csv").open(encoding="utf-8")):
            if row["name"] in names or row["doi"] in groups:
                continue
            inside = DATA / folder / ("" if folder.endswith("more") else row["split"])
            picture = read_micrograph(inside / "images" / f"{row['name']}.png")
            mask = read_micrograph(inside / "instances" / f"{row['name']}.png").pixels > 0
            if mask.shape == picture.shape and 0.005 < mask.mean() <= MOST_COVERED:
                yield "", picture, mask, find_overlays(picture)


def measure(
    classifier: Classifier, frames: Iterator[Frame], methods: Sequence[str]
) -> pd.DataFrame:
    """Return one row per frame and map."""
    rows: list[dict[str, object]] = []
    for number, (kind, micrograph, mask, exclude) in enumerate(frames):
        maps = explain_all(
            classifier,
            micrograph,
            target=kind or None,
            methods=methods,
            exclude=exclude,
            seed=number,
        )
        inputs = classifier.prepare(micrograph, exclude)
        kind = next(iter(maps.values())).target
        perturber = Perturber(classifier, inputs, kind, STEPS, seed=number)
        size_hw = perturber.picture.shape[1], perturber.picture.shape[2]
        ranked = {name: rank_map(each.raw, size_hw, number) for name, each in maps.items()}
        heats = {name: each.heat for name, each in ranked.items()}
        found = perturber.respond(ranked, heats)
        for name, each in maps.items():
            heat, response = each.heatmap.astype(np.float64), found[name]
            rows.append(
                {
                    "frame": number,
                    "kind": kind,
                    "method": name,
                    "gain": response.gain,
                    "insertion": response.insertion_auc(MEAN),
                    "deletion": response.deletion_auc(MEAN),
                    "road": response.road,
                    "energy": heat[mask].sum() / max(heat.sum(), 1e-12),
                    "strict": float(mask[heat == heat.max()].mean()) if heat.any() else 0.0,
                }
            )
        print(number, kind, file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def beside_baselines(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return each method's mean and how far it is ahead of the best baseline (95 % bootstrap)."""
    wide = rows.pivot_table(index="frame", columns="method", values=measure)
    sign = -1 if measure in LOWER_IS_BETTER else 1
    known = [name for name in BASELINES if name in wide]
    best = (sign * wide[known].mean()).idxmax()
    picks = np.random.default_rng(0).integers(0, len(wide), (4000, len(wide)))
    found = []
    for name in wide.columns.difference(known):
        ahead = sign * (wide[name] - wide[best]).to_numpy()
        low, high = np.percentile(ahead[picks].mean(axis=1), [2.5, 97.5])
        beats = "yes" if low > 0 else "no" if high < 0 else "not told apart"
        found.append(
            (name, wide[name].mean(), best, wide[best].mean(), ahead.mean(), low, high, beats)
        )
    columns = ["method", measure, "best baseline", "its", "ahead", "low", "high", "beats it"]
    return pd.DataFrame(found, columns=columns).sort_values("ahead", ascending=False)


def against_default(rows: pd.DataFrame, default: str = "grad-cam") -> pd.DataFrame:
    """Return each method's gain and ROAD less the default's, with 95 % bootstrap intervals."""
    found = []
    for measure in ("gain", "road"):
        wide = rows.pivot_table(index="frame", columns="method", values=measure)
        picks = np.random.default_rng(0).integers(0, len(wide), (4000, len(wide)))
        for name in wide.columns.difference([default, *BASELINES]):
            more = (wide[name] - wide[default]).to_numpy()
            low, high = np.percentile(more[picks].mean(axis=1), [2.5, 97.5])
            found.append((measure, name, more.mean(), low, high))
    return pd.DataFrame(found, columns=["measure", "method", "more than default", "low", "high"])


def report(title: str, rows: pd.DataFrame) -> None:
    """Print the tables of one set of frames."""
    frames = rows.drop_duplicates("frame")
    print(f"\n== {title}: {len(frames)} frames {frames['kind'].value_counts().to_dict()}")
    for name in MEASURES:
        print(f"\n{beside_baselines(rows, name).round(3).to_string(index=False)}")
    print(f"\nagainst Grad-CAM\n{against_default(rows).round(3).to_string(index=False)}")


def main() -> None:
    """Print how faithful each map is on simulated and on real frames."""
    per_kind = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    methods = sys.argv[2].split(",") if len(sys.argv) > 2 else [*METHODS, *BASELINES]
    classifier = load_model(sys.argv[3] if len(sys.argv) > 3 else SHIPPED, device="cpu")
    classes = classifier.card.classes
    print(
        f"{classifier.name}, deletion and insertion at {STEPS.shares}, ROAD at {STEPS.road_shares}"
    )
    report("simulated", measure(classifier, simulated(classes, per_kind), methods))
    if DATA.is_dir():
        frames = (frame for frame, _ in zip(real(), range(MOST_REAL), strict=False))
        report("real, never trained on", measure(classifier, frames, methods))


if __name__ == "__main__":
    main()
