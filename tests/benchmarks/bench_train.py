"""Own classes from few pictures: how right is a head on frozen features, of which network?

Run with ``python -m tests.benchmarks.bench_train``. Of every class 5, 10 or 20 pictures are drawn,
one group of originals after the other, ten times; a linear head is fitted as on the Train page and
asked about pictures of the other groups, whole frames with overlays hidden. The interval is that of
the mean over the draws, from Student's t. Seconds are those of the processor.

Not all rows are fair. The last column says how many of a task's pictures each network has learnt
from: on the shipped classes and the particles both know nearly all pictures and their labels, on
the alloys both know the pictures, but as one class. Only the coating is new to both, and it comes
from one laboratory, so that the instrument counts, too.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

from core.imaging.reading import read_micrograph
from core.learning.classifying import balanced_accuracy, confusion_matrix
from core.learning.models import Classifier, load_model
from core.learning.training import quick
from core.learning.training.quick.features import stack
from core.learning.training.quick.head import fit_head
from core.learning.training.quick.seen import seen_before

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NETWORKS = ("em-morph5", "em-morph5-2")
COUNTS, DRAWS, MOST = (5, 10, 20), 10, 26


@dataclass(frozen=True)
class Picture:
    """A file with its class and the original it comes from."""

    path: Path
    label: str
    group: str


def rows(folder: str, table: str) -> list[dict[str, str]]:
    """Return the lines of a data set's table."""
    with (DATA / folder / table).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def shipped() -> Iterable[Picture]:
    """Yield the five classes that both networks were trained on."""
    for row in rows("em-morph5-full", "labels.csv"):
        yield Picture(DATA / "em-morph5-full" / row["file"], row["label"], row["group"])


def alloys() -> Iterable[Picture]:
    """Yield three alloys, which the shipped classes hold as one."""
    kinds = {"nasa": "superalloy", "UHCSDB": "carbide network", "AMPIS": "spheroidite"}
    for row in rows("em-morph5-full", "labels.csv"):
        for source, kind in kinds.items():
            if row["label"] == "alloys" and source in row["source"]:
                yield Picture(DATA / "em-morph5-full" / row["file"], kind, row["group"])


def masked() -> Iterable[Picture]:
    """Yield micrographs of three sets with masks, each of one laboratory."""
    for folder, column in (
        ("seg-ebc", "run"),
        ("seg-dendrites", "group"),
        ("seg-spheroidite", "specimen"),
    ):
        for row in rows(folder, "index.csv"):
            path = DATA / folder / row["split"] / "images" / f"{row['name']}.png"
            yield Picture(path, folder.removeprefix("seg-"), row[column])


def particles() -> Iterable[Picture]:
    """Yield particles of three forms from further articles."""
    for row in rows("seg-emps-more", "index.csv"):
        if row["morphology"] in ("polyhedra", "rods_fibres", "spheroids"):
            path = DATA / "seg-emps-more" / "images" / f"{row['name']}.png"
            yield Picture(path, row["morphology"], row["doi"] or row["name"])


def bodies() -> Iterable[Picture]:
    """Yield cubes, octahedra and spheres."""
    for row in rows("seg-emps-more", "index.csv"):
        if row["morphology"] in ("cube", "octahedron", "sphere"):
            path = DATA / "seg-emps-more" / "images" / f"{row['name']}.png"
            yield Picture(path, row["morphology"], row["doi"])


TASKS = {
    "three alloys": alloys,
    "coating, dendrites, spheroidite": masked,
    "cubes, octahedra, spheres": bodies,
    "particles of other articles": particles,
    "the shipped classes": shipped,
}


def few(pictures: Iterable[Picture]) -> list[Picture]:
    """Return at most so many pictures of each class, spread over the groups."""
    rng = np.random.default_rng(0)
    kept: list[Picture] = []
    listed = list(pictures)
    for label in sorted({picture.label for picture in listed}):
        own = [picture for picture in listed if picture.label == label]
        kept += [own[place] for place in sorted(rng.permutation(len(own))[:MOST])]
    return kept


def draw(
    truth: np.ndarray, groups: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return places to learn from and to ask; None where too few are left to ask."""
    chosen: list[int] = []
    for label in np.unique(truth):
        order = rng.permutation(np.unique(groups[truth == label]))
        own = [rng.permutation(np.flatnonzero((truth == label) & (groups == g))) for g in order]
        chosen += np.concatenate(own)[:count].tolist()
    asked = ~np.isin(groups, groups[chosen])
    if any((asked & (truth == label)).sum() < 2 for label in np.unique(truth)):
        return None
    return np.array(chosen), np.flatnonzero(asked)


def score(features: np.ndarray, truth: np.ndarray, groups: np.ndarray, count: int) -> str:
    """Return mean, interval and seconds of a fit as a table's cells."""
    found, seconds = [], []
    for seed in range(10 * DRAWS):
        places = draw(truth, groups, count, np.random.default_rng(seed))
        if places is None:
            continue
        learn, ask = places
        began = time.process_time()
        with threadpool_limits(1, "blas"):  # as the Train page does
            head = fit_head(features[learn], truth[learn], groups[learn])
        seconds.append(time.process_time() - began)
        said = head(features[ask]).argmax(axis=1)
        found.append(balanced_accuracy(confusion_matrix(said, truth[ask], truth.max() + 1)))
        if len(found) == DRAWS:
            break
    if len(found) < DRAWS:
        return f"{'too few originals':>27s}"
    half = stats.t.ppf(0.975, DRAWS - 1) * np.std(found, ddof=1) / np.sqrt(DRAWS)
    mean = np.mean(found)
    return f"{mean:.3f} [{mean - half:.3f}, {min(1.0, mean + half):.3f}] {np.mean(seconds):5.2f} s"


def ask(classifier: Classifier, pictures: list[Picture]) -> tuple[np.ndarray, float, int]:
    """Return features (N, C), CPU milliseconds a picture, and how many it has learnt from."""
    micrographs = [read_micrograph(picture.path) for picture in pictures]
    began = time.process_time()
    looks = quick.look(classifier, micrographs)
    each_ms = 1000 * (time.process_time() - began) / len(pictures)
    features = stack(looks)
    return features, each_ms, int(seen_before(classifier, micrographs, features).sum())


def main() -> None:
    """Print the table."""
    networks = [load_model(name, device="cpu") for name in NETWORKS]
    print(f"{'':34s}{'each':>5s}  " + "  ".join(f"{name:>27s}" for name in NETWORKS) + "  learnt")
    costs: dict[str, list[float]] = {name: [] for name in NETWORKS}
    for task, of in TASKS.items():
        pictures = few(of())
        labels = sorted({picture.label for picture in pictures})
        truth = np.array([labels.index(picture.label) for picture in pictures])
        groups = np.unique([picture.group for picture in pictures], return_inverse=True)[1]
        asked = [ask(network, pictures) for network in networks]
        for name, (_, each_ms, _) in zip(NETWORKS, asked, strict=True):
            costs[name].append(each_ms)
        for count in COUNTS:
            cells = [score(features, truth, groups, count) for features, _, _ in asked]
            if all("too few" in cell for cell in cells):
                continue
            learnt = ", ".join(f"{seen}/{len(pictures)}" for _, _, seen in asked)
            print(f"{task:34s}{count:5d}  " + "  ".join(cells) + f"  {learnt}", flush=True)
    for name, each in costs.items():
        print(f"{name}: {np.median(each):.0f} ms of the processor a picture, overlays included")


if __name__ == "__main__":
    sys.exit(main())
