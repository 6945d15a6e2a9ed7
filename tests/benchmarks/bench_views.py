"""More views of a frame at test time: what does one add to the frame and its inverse?

Run with ``python -m tests.benchmarks.bench_views WORK WHOLE_FRAMES FOLDER…``: the work folder of a
training that was kept (its ``fold0.pt`` … ``fold4.pt``), the folder of whole frames and the folders
of squares it learnt from. Every network is asked about the pictures of the groups it never saw.
``--fold N`` asks one network only, so that several processes share the work; answers are kept in
``--kept``. Each view is asked upright and inverted, as the shipped network is; views are averaged
as logits, which is what averaged maps of a linear head give. Its first row must be the card's.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from core.imaging.overlays import find_overlays
from core.imaging.reading import read_micrograph
from core.learning.classifying import (
    balanced_accuracy,
    confusion_matrix,
    cool_by_group,
    softmax,
    summarise,
)
from core.learning.models import Classifier, build_network, load_model
from core.learning.models.preparation import Preparation, fill_excluded, standardise
from core.learning.training.crossvalidation import CHANGES, split
from core.learning.training.pictures import LabelledPicture, read_labelled_folders
from core.micrograph import Micrograph

Array = NDArray[Any]
MODEL, FOLDS, SEED = "em-morph5-2", 5, 0
WHOLE = "whole_frames"
# Inverted is left out: asked both ways, an inverted frame is the same but for rounding.
SHOWN = (WHOLE, "aspect_narrower", "aspect_wider", "overlays_shown")


@dataclass(frozen=True)
class View:
    """How a frame is shown: aspect (width over height, × the frame's), scale, mirrored or not."""

    aspect: float = 1.0
    scale: float = 1.0
    mirrored: bool = False
    multiple_px: int | None = None

    def __call__(self, preparation: Preparation, frame: Micrograph, mask: Array | None) -> Array:
        """Return the network's input (h, w), float32."""
        stretch = float(np.sqrt(self.aspect))
        height, width = frame.shape
        own = replace(
            preparation,
            area_px=round(preparation.area_px * self.scale**2),
            multiple_px=self.multiple_px or preparation.multiple_px,
        )
        h, w = own.size_hw((height / stretch, width * stretch))  # type: ignore[arg-type]
        pixels = fill_excluded(frame.pixels, mask)
        kind = cv2.INTER_AREA if h * w < pixels.size else cv2.INTER_LINEAR
        image = standardise(cv2.resize(pixels, (w, h), interpolation=kind), own.clip_sd)
        return np.ascontiguousarray(image[:, ::-1]) if self.mirrored else image


VIEWS: Mapping[str, View] = {
    "present": View(),
    "wide": View(aspect=1.2),
    "narrow": View(aspect=1 / 1.2),
    "small": View(scale=0.8),
    "mirrored": View(mirrored=True),
    "large": View(scale=1.25),
}
FIRST, MORE = tuple(VIEWS)[:4], tuple(VIEWS)[4:]
PASSES = (  # in the order of what they tell
    *((WHOLE, FIRST), ("aspect_narrower", FIRST), ("aspect_wider", FIRST)),
    *((WHOLE, MORE), ("overlays_shown", FIRST)),
    ("aspect_narrower", ("large",)),
)
ROWS: Sequence[tuple[str, ...]] = (
    *((name,) for name in VIEWS),
    *(("present", name) for name in VIEWS if name != "present"),
    ("wide", "narrow"),
    ("present", "wide", "narrow"),
    ("present", "narrow", "small"),
    ("present", "wide", "small"),
    ("present", "wide", "narrow", "small"),
    ("present", "small", "large"),
    ("present", "small", "mirrored"),
    ("small", "large"),
)


def make(weights: dict[str, torch.Tensor]) -> Classifier:
    """Return a fold's network as it was scored: its weights as they are kept, in 16 bits."""
    card = load_model(MODEL, device="cpu").card
    network = build_network(card.architecture, len(card.classes), card.options)
    halves = {k: v.half().float() if v.is_floating_point() else v for k, v in weights.items()}
    network.load_state_dict(halves)
    return Classifier(network, card)


def show(shown: str, frame: Micrograph, mask: Array | None) -> tuple[Micrograph, Array | None]:
    """Return a whole frame as it is, or with one of the changes."""
    return (frame, mask) if shown == WHOLE else CHANGES[shown](frame, mask)


def ask_fold(
    classifier: Classifier, paths: Sequence[Path], shown: str, views: Sequence[str]
) -> dict[str, Array]:
    """Return logits (N, K) by "shown/view", and ms of the processor by "ms/view", (N,)."""
    found: dict[str, list[Any]] = {}
    for frame in map(read_micrograph, paths):
        changed = show(shown, frame, find_overlays(frame))
        for name in views:
            began = time.process_time()
            image = VIEWS[name](classifier.preparation, *changed)  # type: ignore[arg-type]
            x = torch.from_numpy(image)[None, None]
            logits = classifier.head(classifier.features(x))[0].double().numpy()
            found.setdefault(f"{shown}/{name}", []).append(logits)
            if shown == WHOLE:
                spent = 1000 * (time.process_time() - began)
                found.setdefault(f"ms/{name}", []).append(spent)
    return {key: np.array(values) for key, values in found.items()}


def tabulate(
    answers: Mapping[str, Array],
    truth: Array,
    groups: Array,
    classes: Sequence[str],
    temperature: float | None = None,
) -> None:
    """Print a row for each set of views, averaged as probabilities where there is a temperature."""
    rows = ROWS if temperature is None else [views for views in ROWS if len(views) > 1]
    right = (answers[f"{WHOLE}/present"].argmax(axis=1)) == truth
    names = "  ".join(f"{name.split('_')[-1]:>8s}" for name in SHOWN[1:])
    title = f"{'views, each upright and inverted':34s} balanced [95 % interval]  ECE  "
    print(f"{title} {names}  better worse   ms  recalls")
    for views in rows:
        whole = _mean(answers, WHOLE, views, temperature)
        if whole is None:
            continue
        moved = [
            _move(_mean(answers, shown, views, temperature), whole, truth) for shown in SHOWN[1:]
        ]
        now = whole.argmax(axis=1) == truth
        spent = sum(np.median(answers[f"ms/{name}"]) for name in views)
        print(f"{' + '.join(views):34s} {_scores(whole, truth, groups, classes)}", end="")
        print(f"  {'  '.join(moved)}  {(now & ~right).sum():6d} {(right & ~now).sum():5d}", end="")
        recalls = (now[truth == k].mean() for k in range(len(classes)))
        print(f" {spent:4.0f}  {' '.join(f'{recall:.2f}' for recall in recalls)}", flush=True)


def _mean(
    answers: Mapping[str, Array], shown: str, views: Sequence[str], temperature: float | None
) -> Array | None:
    """Return mean logits (N, K), or those of the mean; None where a view was not asked."""
    each = [answers[key] for name in views if (key := f"{shown}/{name}") in answers]
    if len(each) < len(views):
        return None
    if temperature is None:
        return np.asarray(np.mean(each, axis=0))
    mean = np.mean([softmax(one, temperature) for one in each], axis=0)
    return np.asarray(temperature * np.log(mean))


def _move(changed: Array | None, whole: Array, truth: Array) -> str:
    """Return by how many points a change moves the balanced accuracy, as a cell."""
    if changed is None:
        return f"{'-':>8s}"
    return f"{100 * (_score(changed, truth) - _score(whole, truth)):+8.1f}"


def _scores(logits: Array, truth: Array, groups: Array, classes: Sequence[str]) -> str:
    found = summarise(cool_by_group(logits, truth, groups), truth, groups, classes, 1.0)
    low, high = found["balanced_accuracy_interval_95"]
    error = found["expected_calibration_error"]
    return f"{_score(logits, truth):.4f} [{low:.3f}, {high:.3f}]  {error:.3f}"


def _score(logits: Array, truth: Array) -> float:
    return balanced_accuracy(confusion_matrix(logits.argmax(axis=1), truth, logits.shape[1]))


def gather(kept: Path, parts: Sequence[tuple[Array, Array]], count: int) -> dict[str, Array]:
    """Return the folds' answers in the order of the pictures; changes asked of all folds only."""
    answers: dict[str, Array] = {}
    for shown, views in PASSES:
        files = [file_of(kept, fold, shown, views) for fold in range(len(parts))]
        if not all(file.exists() for file in files):
            continue
        for (_, held), path in zip(parts, files, strict=True):
            with np.load(path) as file:
                for key, values in file.items():
                    whole = answers.setdefault(key, np.zeros((count, *values.shape[1:])))
                    whole[held] = values
    return answers


def file_of(kept: Path, fold: int, shown: str, views: Sequence[str]) -> Path:
    """Return where a fold's answers of a pass are kept."""
    return kept / f"fold{fold}-{shown}-{views[0]}.npz"


def main() -> None:
    """Ask what is not asked yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("whole_frames", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--kept", type=Path, default=Path("views"))
    parser.add_argument("--fold", type=int, action="append")
    parser.add_argument("--table", action="store_true", help="of what is asked already")
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.kept.mkdir(parents=True, exist_ok=True)
    pictures: list[LabelledPicture] = read_labelled_folders(given.folders)
    classes = sorted({picture.label for picture in pictures})
    truth = np.array([classes.index(picture.label) for picture in pictures])
    groups = np.unique([picture.group for picture in pictures], return_inverse=True)[1]
    parts = split(truth, groups, FOLDS, SEED)
    for (shown, views), fold in itertools.product(PASSES, given.fold or range(FOLDS)):
        file = file_of(given.kept, fold, shown, views)
        if file.exists() or given.table:
            continue
        classifier = make(torch.load(given.work / f"fold{fold}.pt", weights_only=True))
        paths = [given.whole_frames / pictures[place].relative for place in parts[fold][1]]
        asked = ask_fold(classifier, paths, shown, views)
        np.savez(file, allow_pickle=False, **asked)
        print(f"fold {fold}: {shown}, {views[0]} … asked", file=sys.stderr, flush=True)
    if given.fold is None:
        answers = gather(given.kept, parts, len(pictures))
        tabulate(answers, truth, groups, classes)
        print("\naveraged as probabilities")
        calibration = load_model(MODEL, device="cpu").card.calibration
        tabulate(answers, truth, groups, classes, calibration["temperature"])


if __name__ == "__main__":
    main()
