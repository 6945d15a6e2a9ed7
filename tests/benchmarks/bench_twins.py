"""Is the error that twins predict the real one? Pictures of which the truth is known.

    python -m tests.benchmarks.bench_twins [drawn pictures] [twins of each]

Drawn: ellipses of many sizes, apart or touching, bright or dark, blurred, shaded, with white or
alike noise; not drawn by the product's simulator nor by the code that draws twins. They are
measured in four ways: Otsu's threshold as it is; averaged and split; from 20 px; averaged, split
and from 4 px. `r` and `rank` are the correlations of the predicted with the real error over all
pictures (>= 0.8 wanted) and of their ranks, `held` how often the true value lies within the 95 %
statement (90 to 99 % wanted), `real` and `rest` the standard deviation of the error before and
after it is taken out. Errors of fraction and circularity are differences, of the others logarithms
of a ratio.

Real: pictures with masks (`seg-*`), the same four ways. `sign` is how often predicted and real
error have the same sign, `nearer` how often the corrected value is nearer to the truth.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import stats

from core.errors import UserError
from core.imaging.reading import read_micrograph
from core.measuring.regions import label_regions
from core.measuring.twins import QUANTITIES, Judgement, judge, measured_quantities
from core.micrograph import Micrograph

DATA = Path(__file__).parents[2].parent / "shared" / "data"
PICTURES, TWINS, SIDE, FINE = 100, 10, 384, 3
Labels = NDArray[np.int32]
Row = tuple[Judgement, NDArray[np.float64]]


def ellipses(random: np.random.Generator) -> Labels:
    """Return ellipses at three times the resolution, each with its own number."""
    diameter, spread = np.exp(random.uniform(np.log(6), np.log(40))), random.uniform(0.05, 0.5)
    cover, touch = random.uniform(0.05, 0.35), random.random() < 0.5
    count = int(cover * SIDE**2 / (np.pi * diameter**2 / 4 * np.exp(2 * spread**2)))
    labels = np.zeros((SIDE * FINE, SIDE * FINE), np.int32)
    for number in range(1, max(5, count) + 1):
        size = FINE * diameter * np.exp(spread * random.standard_normal()) / 2
        aspect = np.sqrt(random.uniform(1, 1.5))
        axes = (max(1, int(size * aspect)), max(1, int(size / aspect)))
        for _ in range(40):
            centre = (FINE * SIDE * random.random(2)).astype(int).tolist()
            drawn = np.zeros(labels.shape, np.uint8)
            cv2.ellipse(drawn, centre, axes, random.uniform(0, 180), 0, 360, 1, -1)
            near = drawn if touch else cv2.dilate(drawn, np.ones((4 * FINE, 4 * FINE), np.uint8))
            shared = np.count_nonzero((near > 0) & (labels > 0))
            if shared <= (0.15 * np.count_nonzero(drawn) if touch else 0):
                labels[(drawn > 0) & (labels == 0)] = number
                break
    return labels


def picture(seed: int) -> tuple[Micrograph, Labels]:
    """Return a drawn micrograph and its objects, numbered from 1."""
    random = np.random.default_rng([2024, seed])
    fine = ellipses(random)
    size_wh = (SIDE, SIDE)
    contrast = random.uniform(0.25, 0.6) * (1 if random.random() < 0.7 else -1)
    tones = contrast * (1 + random.normal(0, 0.1, int(fine.max()) + 1))
    tones[0] = 0
    grey = cv2.resize(tones[fine].astype(np.float32), size_wh, interpolation=cv2.INTER_AREA)
    grey += 0.25 if contrast > 0 else 0.75
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    slope = random.normal(0, 0.04, 2)
    grey = cv2.GaussianBlur(
        grey + (slope[0] * x + slope[1] * y).astype(np.float32), (0, 0), random.uniform(0.5, 2)
    )
    noise = random.standard_normal(grey.shape).astype(np.float32)
    if random.random() < 0.4:
        noise = 2 * cv2.GaussianBlur(noise, (0, 0), 0.7)
    level = np.exp(random.uniform(np.log(0.01), np.log(0.35 * abs(contrast))))
    grey += level * np.sqrt(0.5 + 0.5 * np.clip(grey, 0, 1)) * noise
    pixels = np.clip(grey * 255, 0, 255).astype(np.uint8)
    return Micrograph(f"drawn {seed}", pixels), in_order(fine[FINE // 2 :: FINE, FINE // 2 :: FINE])


def in_order(labels: NDArray[np.integer]) -> Labels:
    """Return labels numbered from 1 without gaps."""
    _, numbers = np.unique(np.concatenate([[0], labels.ravel()]), return_inverse=True)
    return numbers[1:].reshape(labels.shape).astype(np.int32)


def way(number: int) -> Callable[[Micrograph], Labels]:
    """Return one of four ways to measure; the rarer side of Otsu's threshold is the object."""
    smallest, averaged = (1, 8, 20, 4)[number % 4], number % 2 == 1

    def measure(micrograph: Micrograph) -> Labels:
        grey = cv2.normalize(micrograph.pixels.astype(np.float32), None, 0, 255, cv2.NORM_MINMAX)
        grey = cv2.GaussianBlur(grey, (0, 0), 1.5) if averaged else grey
        _, over = cv2.threshold(grey.astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
        inside = over > 0 if (over > 0).mean() <= 0.5 else over == 0
        return label_regions(inside, min_area_px=smallest, split=averaged)

    return measure


def real_pictures() -> Iterator[tuple[Micrograph, Labels]]:
    """Return real micrographs of at least eight objects, and these."""
    for path in sorted((DATA / "seg-emps" / "val" / "images").glob("*.png")):
        labels = cv2.imread(str(path.parents[1] / "instances" / path.name), cv2.IMREAD_UNCHANGED)
        yield read_micrograph(path), in_order(labels.astype(np.int32))
    for name in ("seg-spheroidite", "seg-ebc"):
        for path in sorted((DATA / name).glob("*/images/*.png"))[:14]:
            mask = np.array(Image.open(path.parents[1] / "masks" / path.name))
            yield read_micrograph(path), label_regions(mask == 1)


def errors(rows: list[Row], index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return real and predicted errors of one quantity, of the pictures that have both."""
    is_share = QUANTITIES[index] in ("fraction", "circularity")
    found = []
    for judgement, truth in rows:
        measured, corrected = (
            each.to_array()[index] for each in (judgement.measured, judgement.corrected)
        )
        values = np.array([measured - truth[index], measured - corrected])
        if not is_share:
            with np.errstate(all="ignore"):
                values = np.log(measured / np.array([truth[index], corrected]))
        if np.isfinite(values).all():
            found.append(values)
    return tuple(np.array(found).reshape(-1, 2).T)  # type: ignore[return-value]


def judged(pictures: Iterator[tuple[Micrograph, Labels]], twins: int) -> tuple[list[Row], int]:
    """Return judgements beside the truth, and how many were refused."""
    rows, refused = [], 0
    for number, (micrograph, labels) in enumerate(pictures):
        if labels.shape != micrograph.shape or labels.max() < 5:
            continue
        counted = np.ones(labels.shape, np.bool_)
        try:
            answer = judge(micrograph, way(number), count=twins, exclude=~counted)
        except UserError:
            refused += 1
            continue
        truth = measured_quantities(labels, counted, micrograph.pixel_size).to_array()
        if answer.refusal is None:
            rows.append((answer, truth))
        else:
            refused += 1
    return rows, refused


def main() -> None:
    """Print one line a quantity."""
    pictures, twins = (
        int(sys.argv[place]) if len(sys.argv) > place else standard
        for place, standard in ((1, PICTURES), (2, TWINS))
    )
    start = time.process_time()
    rows, refused = judged((picture(seed) for seed in range(pictures)), twins)
    seconds = (time.process_time() - start) / max(pictures, 1)
    print(f"drawn pictures: {len(rows)} judged, {refused} refused, {seconds:.1f} CPU s each")
    for index, name in enumerate(QUANTITIES):
        real, predicted = errors(rows, index)
        held = [
            each.low.to_array()[index] <= truth[index] <= each.high.to_array()[index]
            for each, truth in rows
            if np.isfinite(truth[index]) and np.isfinite(each.low.to_array()[index])
        ]
        print(
            f"  {name:12s} n {real.size:3d}  r {np.corrcoef(real, predicted)[0, 1]:5.2f}  "
            f"rank {stats.spearmanr(real, predicted).statistic:5.2f}  "
            f"held {100 * np.mean(held):3.0f} %  real {real.std():.3f}  "
            f"rest {(real - predicted).std():.3f}"
        )
    if not DATA.exists():
        print("real pictures: none here")
        return
    rows, refused = judged(real_pictures(), twins)
    print(f"real pictures: {len(rows)} judged, {refused} refused")
    for index, name in enumerate(QUANTITIES):
        real, predicted = errors(rows, index)
        rest, whole = (float(np.median(np.abs(each))) for each in (real - predicted, real))
        same = 100 * np.mean(np.sign(real) == np.sign(predicted))
        nearer = 100 * np.mean(np.abs(real - predicted) < np.abs(real))
        print(
            f"  {name:12s} n {real.size:3d}  sign {same:3.0f} %  nearer {nearer:3.0f} %  "
            f"median error {whole:.3f} -> {rest:.3f}"
        )


if __name__ == "__main__":
    main()
