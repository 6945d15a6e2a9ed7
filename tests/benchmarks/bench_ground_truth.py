"""Do heat maps lie on what makes the class? Every method, on simulated micrographs with masks.

Run with ``python -m tests.benchmarks.bench_ground_truth``. Each micrograph is explained for its
true class by the shipped model, at its last layer; those that the network names wrongly are left
out.

pointing  whether the strongest place lies on the mask (Zhang et al. 2018, the pointing game,
          doi:10.1007/s11263-017-1059-x; without tolerance)
energy    share of the evidence on the mask (Wang et al. 2020, doi:10.1109/CVPRW50498.2020.00020)
area      share of the frame that the mask covers: what a random map gets for both

The mask says where the objects are. It is a fair truth where the class is a matter of the objects
alone, on a substrate without content of its own: polyhedra, rods and fibres, spheroids, and
dendrites on a matrix. In alloys both phases and their pattern make the class, and the mask is one
of the two: figures are shown, and not part of the mean. A mask that covers most of the frame tells
little, hence the lift: energy / area.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch

from core.imaging.simulate import KINDS, Simulation, simulate
from core.learning.checkpoints import Classifier, load_model
from core.learning.explanation import BASELINES, METHODS, ONE_PASS, Explanation, explain_all

MODEL = "em-morph5"
SHAPE = (512, 512)
FIRST_SEED = 900_000
MANY, FEW = 60, 8  # micrographs per kind, for fast and for slow methods
CHANNELS = 14
MEANINGFUL = ("dendrites", "polyhedra", "rods_fibres", "spheroids")
POINTING_BAR, ENERGY_BAR = 0.90, 0.60


@dataclass(frozen=True, slots=True)
class Hit:
    """How one map lies on one mask; NaN without evidence."""

    pointing: float
    energy: float
    area: float


def judge(found: Explanation, simulation: Simulation) -> Hit:
    """Return where the strongest place and the evidence lie."""
    heat, mask = found.heatmap.astype(np.float64), simulation.mask
    area = float(mask.mean())
    if not found.has_evidence:
        return Hit(float("nan"), float("nan"), area)
    strongest = heat == heat.max()
    return Hit(float(mask[strongest].mean()), float(heat[mask].sum() / heat.sum()), area)


def explain_known(
    classifier: Classifier, simulation: Simulation, methods: tuple[str, ...], layer: str | None
) -> dict[str, Hit] | None:
    """Return the hits of each method; None where the network names another class."""
    maps = explain_all(
        classifier, simulation.micrograph, methods=methods, layer=layer, channels=CHANNELS
    )
    if any(found.target != simulation.kind for found in maps.values()):
        return None
    return {name: judge(found, simulation) for name, found in maps.items()}


def measure(
    classifier: Classifier, methods: tuple[str, ...], count: int, layer: str | None = None
) -> dict[str, dict[str, list[Hit]]]:
    """Return the hits per method and kind."""
    hits: dict[str, dict[str, list[Hit]]] = {m: defaultdict(list) for m in methods}
    for kind in KINDS:
        for seed in range(FIRST_SEED, FIRST_SEED + count):
            found = explain_known(classifier, simulate(kind, SHAPE, seed), methods, layer)
            for name, hit in (found or {}).items():
                hits[name][kind].append(hit)
    return hits


def mean(hits: list[Hit], what: str) -> float:
    """Return the mean of one number over the maps that hold evidence."""
    values = [getattr(hit, what) for hit in hits]
    return float(np.nanmean(values)) if values else float("nan")


def row(title: str, by_kind: dict[str, list[Hit]]) -> str:
    """Return one line: pointing / energy per kind, their means, and the lift."""
    cells = [
        f"{mean(by_kind[k], 'pointing'):.2f} / {mean(by_kind[k], 'energy'):.2f}" for k in KINDS
    ]
    pointing, energy, lift = summary(by_kind)
    empty = sum(np.isnan(hit.energy) for hits in by_kind.values() for hit in hits)
    means = f"{pointing:8.2f} {energy:7.2f} {lift:6.2f} {empty:6d}"
    return f"{title:24s} " + " ".join(f"{cell:>12s}" for cell in cells) + means


def summary(by_kind: dict[str, list[Hit]]) -> tuple[float, float, float]:
    """Return pointing, energy and lift, each kind with a meaningful mask counting once."""
    pointing = np.mean([mean(by_kind[kind], "pointing") for kind in MEANINGFUL])
    energy = np.mean([mean(by_kind[kind], "energy") for kind in MEANINGFUL])
    area = np.mean([mean(by_kind[kind], "area") for kind in MEANINGFUL])
    return float(pointing), float(energy), float(energy / area)


def table(title: str, rows: dict[str, dict[str, list[Hit]]]) -> None:
    """Print one table."""
    first = next(iter(rows.values()))
    counts = ", ".join(f"{kind} {len(first[kind])}" for kind in KINDS)
    print(f"\n{title}; rightly named: {counts}")
    heads = " ".join(f"{kind:>12s}" for kind in KINDS)
    means = f"{'pointing':>8s} {'energy':>7s} {'lift':>6s} {'empty':>6s}"
    print(f"{'pointing / energy':24s} {heads}{means}")
    areas = " ".join(f"{mean(first[kind], 'area'):12.2f}" for kind in KINDS)
    print(f"{'area of the mask':24s} {areas}")
    for name, by_kind in rows.items():
        print(row(name, by_kind), flush=True)


def main() -> None:
    """Print all tables and which method they speak for."""
    torch.set_num_threads(2)
    start, classifier = time.perf_counter(), load_model(MODEL)
    print(f"{MODEL}, {SHAPE[0]} × {SHAPE[1]} px, unseen seeds; {os.cpu_count()} cores")
    fast = (*ONE_PASS, *BASELINES)
    hits = measure(classifier, fast, MANY)
    table(f"one pass, {MANY} per kind", {METHODS[m].title: hits[m] for m in fast})
    slow = ("grad-cam", *(name for name in METHODS if name not in fast))
    few = measure(classifier, slow, FEW)
    table(
        f"many passes, {FEW} per kind, {CHANNELS} channels, beside Grad-CAM",
        {METHODS[m].title: few[m] for m in slow},
    )
    layers = {name: measure(classifier, ("grad-cam",), FEW * 2, name) for name in classifier.layers}
    table(
        f"Grad-CAM by layer, {FEW * 2} per kind",
        {n: each["grad-cam"] for n, each in layers.items()},
    )
    best = max((m for m in fast if m not in BASELINES), key=lambda m: sum(summary(hits[m])[:2]))
    for role, name in (("default", "grad-cam"), ("best by pointing + energy", best)):
        pointing, energy, _ = summary(hits[name])
        verdict = (
            f"pointing {pointing:.2f} (bar {POINTING_BAR}), energy {energy:.2f} (bar {ENERGY_BAR})"
        )
        print(f"{role}: {METHODS[name].title}: {verdict}")
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
