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

Real: pictures with masks (`seg-*` but `seg-emps`, on which limits are learned and what people's
outlines add, and no picture of an article that is in there), the same four ways, without what
`find_overlays` finds, as the product measures; whether objects are the bright or the dark side is
known, as it is to a person. Digests choose the way, and the half of the pictures that is reported
(limits were once learned from the other). Pictures where the mask and what was measured overlap by
less than half (IoU) are counted apart: there Otsu's threshold has measured something else than what
was marked, which no look-alike can see. `sign` is how often predicted and real error have the same
sign; `told` the same where the statement names a side, that is, where its limits leave out zero;
`held` as above; `nearer` how often the corrected value is nearer to the truth; `by hand` the same
of what a person's mask is expected to give (`Judgement.by_hand`).

Made worse: real pictures blurred, noisier, and measured too thin, which changes the real error by
as much as what is measured changes, whatever is true. `way` is how often the predicted error moves
the same way, of the cases where the measured value moves by more than 5 %.

    python -m tests.benchmarks.bench_twins calibrate [drawn pictures] [twins of each]

prints what says how wide the statement has to be, from drawn pictures that are not among those
reported and `seg-emps` (where what is marked is measured; truth with outlines moved inwards by what
people add), and how often limits hold in each fifth of them when learned from the others.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import stats

from core.errors import UserError
from core.imaging.overlays import find_overlays
from core.imaging.reading import read_micrograph
from core.measuring.regions import label_regions
from core.measuring.twins import (
    OUTSIDE_PX,
    QUANTITIES,
    Judgement,
    imitate,
    judge,
    judge_settings,
    measured_quantities,
    middle,
)
from core.measuring.twins.expecting import Evidence, deviation, gather
from core.measuring.twins.judging import errors_on, summarise
from core.micrograph import Micrograph
from tests.benchmarks.twins_widths import NAMES, fit

DATA = Path(__file__).parents[2].parent / "shared" / "data"
PICTURES, TWINS, SIDE, FINE = 100, 10, 384, 3
CALIBRATION, REPORTED = 5000, 20_000  # first seeds of drawn pictures
FEWEST = 5  # true objects
MOST_PX, WORSE = 800, 16
SAME = 0.5  # intersection over union of what was measured and what was marked
FOLDERS = ("seg-spheroidite", "seg-ebc", "seg-dendrites", "seg-emps-more")
LEARNED_FROM = ("seg-emps",)
Labels = NDArray[np.int32]
Row = tuple[Judgement, NDArray[np.float64]]
Measure = Callable[[Micrograph], Labels]


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
            reach = max(axes) + 4 * FINE + 2
            low = [max(0, each - reach) for each in centre]
            place = labels[low[1] : centre[1] + reach, low[0] : centre[0] + reach]
            drawn = np.zeros(place.shape, np.uint8)
            inside = (centre[0] - low[0], centre[1] - low[1])
            cv2.ellipse(drawn, inside, axes, random.uniform(0, 180), 0, 360, 1, -1)
            near = drawn if touch else cv2.dilate(drawn, np.ones((4 * FINE, 4 * FINE), np.uint8))
            shared = np.count_nonzero((near > 0) & (place > 0))
            if shared <= (0.15 * np.count_nonzero(drawn) if touch else 0):
                place[(drawn > 0) & (place == 0)] = number
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


def way(
    number: int, thinner: float = 0.0, bright: bool | None = None
) -> Callable[[Micrograph], Labels]:
    """Return one of four ways to measure; objects are one side of Otsu's threshold.

    `thinner` moves the threshold so far into the objects, in shares of the grey levels. Without
    `bright` they are the rarer side.
    """
    smallest, averaged = (1, 8, 20, 4)[number % 4], number % 2 == 1

    def measure(micrograph: Micrograph) -> Labels:
        grey = cv2.normalize(micrograph.pixels.astype(np.float32), None, 0, 255, cv2.NORM_MINMAX)
        grey = cv2.GaussianBlur(grey, (0, 0), 1.5) if averaged else grey
        level, over = cv2.threshold(grey.astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
        is_bright = (over > 0).mean() <= 0.5 if bright is None else bright
        by = 255 * thinner
        inside = grey >= np.floor(level + by) + 1 if is_bright else grey < np.floor(level - by) + 1
        return label_regions(inside, min_area_px=smallest, split=averaged)

    return measure


@dataclass(frozen=True, slots=True)
class Case:
    """A picture, its true objects, where it is not specimen, and how it is measured."""

    micrograph: Micrograph
    labels: Labels
    exclude: NDArray[np.bool_]
    measure: Measure
    is_drawn_by_hand: bool = False

    @property
    def truth(self) -> NDArray[np.float64]:
        """What is true of it, as `QUANTITIES`."""
        size = self.micrograph.pixel_size
        marked = measured_quantities(self.labels, ~self.exclude, size).to_array()
        return at_edge(marked) if self.is_drawn_by_hand else marked


def to_learn_from() -> Iterator[Case]:
    """Yield real pictures whose limits are learned, with truth that ends at the edge."""
    for half in (0, 1):
        for case in real_pictures(half, LEARNED_FROM):
            if case.labels.max() >= FEWEST and overlap(case) >= SAME:
                yield replace(case, is_drawn_by_hand=True)


def at_edge(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what is true where outlines end at the edge, not where people draw them."""
    by, chord = OUTSIDE_PX[0], max(values[5] - np.pi / 2 * OUTSIDE_PX[0], 1.0)
    moved = np.maximum(values - by * np.array([0, 0, 2, 2, 2, np.pi / 2, 0]), [0, 0, 1, 1, 1, 1, 0])
    moved[0] = values[0] / (1 + np.pi * by / chord)
    return moved


def real_pictures(half: int = 1, folders: Sequence[str] = FOLDERS) -> Iterator[Case]:
    """Yield half of the real micrographs, the middle of large ones."""
    paths = [path for name in folders for path in sorted((DATA / name).glob("**/images/*.png"))]
    known = set() if "seg-emps" in folders else set(articles("seg-emps").values()) - {""}
    here = {name: articles(name) for name in folders}
    for path in spread_out(paths):
        folder = path.relative_to(DATA).parts[0]
        if here[folder].get(path.stem) in known:
            continue
        micrograph = read_micrograph(path)
        if int(micrograph.sha256[-1], 16) % 2 != half:
            continue
        labels = objects_of(path)
        if labels.shape == micrograph.shape:
            window = middle(labels.shape, MOST_PX)
            part = np.ascontiguousarray(micrograph.pixels[window])
            yield case_of(micrograph.with_pixels(part, "the middle"), labels[window])


def articles(folder: str) -> dict[str, str]:
    """Return the article that each picture of a folder is from, where that is known."""
    with (DATA / folder / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {Path(row.get("name", "")).stem: row.get("doi", "") for row in rows}


def spread_out(paths: list[Path]) -> list[Path]:
    """Return paths in an order of which every beginning holds some of each folder."""
    return [paths[place] for place in np.random.default_rng(5).permutation(len(paths))]


def case_of(micrograph: Micrograph, labels: Labels) -> Case:
    """Return how a real picture is measured: its digest says which way."""
    exclude = find_overlays(micrograph)
    labels = in_order(np.where(exclude, 0, labels))
    bright = is_bright(micrograph, labels, exclude)
    return Case(micrograph, labels, exclude, way(by_digest(micrograph), bright=bright))


def is_bright(micrograph: Micrograph, labels: Labels, exclude: NDArray[np.bool_]) -> bool | None:
    """Tell whether what was marked is brighter than the rest; None without either."""
    inside, rest = (labels > 0) & ~exclude, (labels == 0) & ~exclude
    if not inside.any() or not rest.any():
        return None
    return bool(micrograph.pixels[inside].mean() > micrograph.pixels[rest].mean())


def objects_of(path: Path) -> Labels:
    """Return the objects that a person saw in a picture."""
    instances = path.parents[1] / "instances" / path.name
    if instances.exists():
        return in_order(cv2.imread(str(instances), cv2.IMREAD_UNCHANGED).astype(np.int32))
    return label_regions(np.array(Image.open(path.parents[1] / "masks" / path.name)) == 1)


def by_digest(micrograph: Micrograph) -> int:
    """Return which of the four ways measures a real picture."""
    return int(micrograph.sha256[-2], 16) % 4


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


def judged(cases: Iterable[Case], twins: int) -> tuple[list[Row], int]:
    """Return judgements beside the truth, and how many were refused."""
    rows, refused = [], 0
    for each in cases:
        if each.labels.max() < FEWEST:
            continue
        try:
            answer = judge(each.micrograph, each.measure, count=twins, exclude=each.exclude)
        except UserError:
            refused += 1
            continue
        if answer.refusal is None:
            rows.append((answer, each.truth))
        else:
            refused += 1
    return rows, refused


def drawn(seeds: Iterable[int]) -> Iterator[Case]:
    """Yield drawn pictures; the seed says which way each is measured."""
    for seed in seeds:
        micrograph, labels = picture(seed)
        yield Case(micrograph, labels, np.zeros(labels.shape, np.bool_), way(seed))


def held(rows: list[Row], index: int) -> float:
    """Return how often the limits held the true value, in per cent."""
    within = [
        each.low.to_array()[index] <= truth[index] <= each.high.to_array()[index]
        for each, truth in rows
        if np.isfinite(truth[index]) and np.isfinite(each.low.to_array()[index])
    ]
    return 100 * float(np.mean(within)) if within else float("nan")


def print_drawn(pictures: int, twins: int) -> None:
    """Print how predicted and real errors of drawn pictures go together."""
    start = time.process_time()
    rows, refused = judged(drawn(range(REPORTED, REPORTED + pictures)), twins)
    seconds = (time.process_time() - start) / max(pictures, 1)
    print(f"drawn pictures: {len(rows)} judged, {refused} refused, {seconds:.1f} CPU s each")
    for index, name in enumerate(QUANTITIES):
        real, predicted = errors(rows, index)
        print(
            f"  {name:12s} n {real.size:3d}  r {np.corrcoef(real, predicted)[0, 1]:5.2f}  "
            f"rank {stats.spearmanr(real, predicted).statistic:5.2f}  "
            f"held {held(rows, index):3.0f} %  real {real.std():.3f}  "
            f"rest {(real - predicted).std():.3f}",
            flush=True,
        )


def overlap(case: Case) -> float:
    """Return the intersection over union of what is measured and what was marked."""
    found, marked = case.measure(case.micrograph) > 0, case.labels > 0
    either = np.count_nonzero((found | marked) & ~case.exclude)
    return float(np.count_nonzero(found & marked & ~case.exclude) / max(either, 1))


def print_real(twins: int, most: int) -> None:
    """Print the same of real pictures with masks, in signs."""
    cases = [case for case in islice(real_pictures(), most) if case.labels.max() >= FEWEST]
    same = [overlap(case) >= SAME for case in cases]
    for words, kept in (("measured is what was marked", True), ("something else", False)):
        those = [case for case, is_same in zip(cases, same, strict=True) if is_same == kept]
        rows, refused = judged(those, twins)
        print(f"real pictures, {words}: {len(rows)} judged, {refused} refused", flush=True)
        for index, name in enumerate(QUANTITIES if rows else ()):
            print_quantity(rows, index, name)


def print_quantity(rows: list[Row], index: int, name: str) -> None:
    """Print how right the statement is about one quantity of real pictures."""
    known = [each for each in map(_all, rows) if all(np.isfinite(v[index]) for v in each)]
    measured, true, low, high, corrected, hand, hand_low, hand_high = (
        np.array([each[place][index] for each in known]) for place in range(8)
    )
    told = ~((low <= measured) & (measured <= high))
    same, same_hand = (np.sign(measured - true) == np.sign(measured - e) for e in (corrected, hand))
    nearer, nearer_hand = (np.abs(true - e) < np.abs(true - measured) for e in (corrected, hand))
    holds, holds_hand = (low <= true) & (true <= high), (hand_low <= true) & (true <= hand_high)
    sure = f"{100 * same[told].mean():3.0f} %" if told.any() else "  – "
    print(
        f"  {name:12s} n {len(known):3d}  sign {_share(same)}  told {sure} of {told.sum():3d}  "
        f"held {_share(holds)}  nearer {_share(nearer)}   by hand: sign {_share(same_hand)}  "
        f"held {_share(holds_hand)}  nearer {_share(nearer_hand)}",
        flush=True,
    )


def _share(those: NDArray[np.bool_]) -> str:
    return f"{100 * those.mean():3.0f} %" if those.size else "  – "


def _all(row: Row) -> tuple[NDArray[np.float64], ...]:
    answer, truth = row
    said = (answer.low, answer.high, answer.corrected, *answer.by_hand)
    return (answer.measured.to_array(), truth, *(each.to_array() for each in said))


def worse(case: Case, bright: bool) -> dict[str, tuple[Micrograph, Measure]]:
    """Return a picture made worse, and measured worse, a little and much, each with its way."""
    micrograph, random = case.micrograph, np.random.default_rng(7)
    pixels, plain = micrograph.pixels.astype(np.float32), way(0, bright=bright)
    noise = float(pixels.std()) * random.standard_normal(pixels.shape).astype(np.float32)
    made = {f"blurred {each}": cv2.GaussianBlur(pixels, (0, 0), each) for each in (1.5, 3.0)}
    made |= {f"noisier {each}": pixels + each * noise for each in (0.25, 0.5)}
    found = {
        name: (micrograph.with_pixels(np.clip(each, 0, 255).astype(np.uint8), name), plain)
        for name, each in made.items()
    }
    thinner = {f"thinner {each}": way(0, each, bright) for each in (0.1, 0.2)}
    return found | {name: (micrograph, each) for name, each in thinner.items()}


def print_worse(twins: int, most: int) -> None:
    """Print how often predicted errors move as what is measured moves."""
    moved: dict[str, list[tuple[float, float]]] = {}
    refused: dict[str, int] = {}
    cases = (case for case in real_pictures() if case.labels.max() >= FEWEST)
    for case in islice((case for case in cases if overlap(case) >= SAME), most):
        bright = is_bright(case.micrograph, case.labels, case.exclude)
        before = said_of(case, case.micrograph, way(0, bright=bright), twins)
        for name, (picture_, by) in worse(case, bool(bright)).items() if before else ():
            after = said_of(case, picture_, by, twins)
            if before is None or after is None:
                refused[name] = refused.get(name, 0) + 1
                continue
            for quantity in ("fraction", "count", "d50"):
                real = np.log(after.measured[quantity] / before.measured[quantity])
                true = np.log(after.corrected[quantity] / before.corrected[quantity])
                moved.setdefault(f"{name} {quantity}", []).append((real, real - true))
    for name, pairs in moved.items():
        far = [pair for pair in pairs if abs(pair[0]) > 0.05 and np.isfinite(pair).all()]
        same = [np.sign(real) == np.sign(predicted) for real, predicted in far]
        share = f"{100 * np.mean(same):3.0f} %" if same else "  –"
        print(f"  {name:22s} way {share} of {len(far)}", flush=True)
    print(f"  refused: {refused}")


def said_of(case: Case, micrograph: Micrograph, by: Measure, twins: int) -> Judgement | None:
    """Return what is said of a picture; None where it is refused."""
    try:
        said = judge(micrograph, by, count=twins, exclude=case.exclude)
    except UserError:
        return None
    return said if said.refusal is None else None


def print_widths(pictures: int, twins: int) -> None:
    """Print what `core.measuring.twins.expecting` holds, and what it would hold on others."""
    drawn_ones = gathered(drawn(range(CALIBRATION, CALIBRATION + pictures)), twins)
    real_ones = gathered(islice(to_learn_from(), pictures), twins) if DATA.exists() else []
    both = drawn_ones + real_ones
    evidence, off = [each for each, _ in both], np.array([each for _, each in both])
    is_real = np.arange(len(both)) >= len(drawn_ones)
    print(f"{len(drawn_ones)} drawn pictures, {len(real_ones)} real ones")
    for name, values in zip(NAMES, fit(evidence, off, is_real), strict=True):
        print(f"  {name:9s} {np.array2string(values, precision=3, separator=', ')}")
    for words, kept in (("drawn", ~is_real), ("real", is_real)):
        shares = 100 * held_by_others(evidence, off, is_real)[kept]
        print(f"  learned from the others, held of {words}: {np.nanmean(shares, axis=0).round()}")


def gathered(cases: Iterable[Case], twins: int) -> list[tuple[Evidence, NDArray[np.float64]]]:
    """Return the evidence of pictures, and how wrong they are measured."""
    found = []
    for each in cases:
        if each.labels.max() < FEWEST:
            continue
        try:
            known = imitate(each.micrograph, each.measure, count=twins, exclude=each.exclude)
        except UserError:
            continue
        answer = judge_settings(known.original.micrograph, {"": each.measure}, known=known)[""]
        if answer.refusal is None:
            measured = answer.measured.to_array()
            said = summarise(errors_on(known.true, known.found), known.weights)
            off = errors_on(each.truth[None], measured[None])[0]
            found.append((gather(known, measured, *said, answer.likeness), off))
    return found


def held_by_others(
    evidence: list[Evidence], off: NDArray[np.float64], is_real: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return whether limits that are learned from four fifths hold the truth of the last one."""
    fold = np.random.default_rng(0).permutation(len(evidence)) % 5
    held = np.full(off.shape, np.nan)
    for each in range(5):
        others = np.flatnonzero(fold != each)
        weights = fit([evidence[n] for n in others], off[others], is_real[others])
        for n in np.flatnonzero(fold == each):
            away = np.abs(off[n] - evidence[n].mean) / deviation(evidence[n], weights)
            held[n] = np.where(np.isfinite(away), away <= 1, np.nan)
    return held


def main() -> None:
    """Print one line a quantity."""
    given = sys.argv[1:]
    calibrates = given[:1] == ["calibrate"]
    numbers = [int(each) for each in given[calibrates:]]
    pictures, twins = (numbers + [PICTURES, TWINS][len(numbers) :])[:2]
    if calibrates:
        print_widths(pictures, twins)
        return
    print_drawn(pictures, twins)
    if not DATA.exists():
        print("real pictures: none here")
        return
    print_real(twins, max(1, pictures // 2))
    print("made worse, real pictures:")
    print_worse(twins, min(WORSE, pictures))


if __name__ == "__main__":
    main()
