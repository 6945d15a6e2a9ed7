"""How often do our 95 % intervals hold the truth? Simulated fields of which it is known.

    python -m tests.benchmarks.bench_coverage [fields per line]

Fields are noise, smoothed over `sigma` px and cut at a level (true share 5, 30 or 60 %), and discs
that overlap at random (2 to 40 px radius). Regions of interest go from one tile of 512 x 512 px
(64 px) to all of it. `held` is how many per cent of the printed intervals hold the truth, 92 to 97
wanted; the standard error of 300 fields is 1.3. Fields of which all or nothing is covered are left
out: they show no structure (`intervals` counts the others).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.measuring.attribution import attribution_table
from core.measuring.clustering import cluster_gray, fraction_bands
from core.measuring.regions import measure_regions, number_per_area
from core.measuring.statistics import area_fraction, count_points, mean_interval

Mask = NDArray[np.bool_]
FIELDS, SEED = 300, 11
SIDES, SIZES, SHARES = (64, 128, 256, 512), (2, 5, 10, 20, 40), (0.05, 0.3, 0.6)
Limits = tuple[float, float]


def smooth_noise(side: int, sigma_px: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Return a Gaussian field of mean 0 and spread 1, cut from a larger one that is periodic."""
    n = scipy.fft.next_fast_len(int(side + 6 * sigma_px))
    kept = np.exp(-2 * (np.pi * sigma_px * np.fft.fftfreq(n)) ** 2)
    spectrum = scipy.fft.rfft2(random.standard_normal((n, n)))
    spectrum *= kept[:, None] * kept[: n // 2 + 1]
    field = scipy.fft.irfft2(spectrum, s=(n, n)) / (np.sum(kept**2) / n)
    return np.asarray(field[:side, :side])


def excursion(side: int, sigma_px: float, share: float, random: np.random.Generator) -> Mask:
    """Return where smooth noise is above the level that it is above with this probability."""
    return smooth_noise(side, sigma_px, random) > scipy.special.ndtri(1 - share)


def discs(side: int, radius_px: float, share: float, random: np.random.Generator) -> Mask:
    """Return discs that lie at random and overlap (a Boolean model of this expected share)."""
    wide = side + 2 * radius_px
    count = random.poisson(-np.log(1 - share) / (np.pi * radius_px**2) * wide**2)
    grid = np.arange(side)
    mask = np.zeros((side, side), bool)
    for row, col in random.uniform(-radius_px, side + radius_px, (count, 2)):
        near = [
            slice(max(0, int(c - radius_px)), max(0, int(c + radius_px + 2))) for c in (row, col)
        ]
        away = (grid[near[0], None] - row) ** 2 + (grid[None, near[1]] - col) ** 2
        mask[near[0], near[1]] |= away <= radius_px**2
    return mask


def scattered(
    side: int, per_px2: float, apart_px: float, family: int, random: np.random.Generator
) -> Mask:
    """Return discs of radius 3 px: at random, kept apart, or in families of a Thomas process."""
    margin, r = 40, 3
    wide = side + 2 * margin
    parents = random.uniform(0, wide, (random.poisson(per_px2 / family * wide**2), 2))
    if family > 1:
        sizes = random.poisson(family, len(parents))
        parents = np.repeat(parents, sizes, axis=0) + random.normal(0, 12, (sizes.sum(), 2))
    mask, kept = np.zeros((wide, wide), bool), np.empty((0, 2))
    grid = np.mgrid[-r : r + 1, -r : r + 1]
    dot = (grid**2).sum(axis=0) <= r * r
    for at in parents:
        near = len(kept) and np.min(((kept - at) ** 2).sum(axis=1)) < max(apart_px, 2 * r + 2) ** 2
        row, col = at.astype(int)
        if not near and r <= row < wide - r and r <= col < wide - r:
            kept = np.vstack([kept, at])
            mask[row - r : row + r + 1, col - r : col + r + 1] |= dot
    return mask[margin:-margin, margin:-margin]


def score(pairs: Iterable[tuple[Limits, float]]) -> dict[str, float]:
    """Return how many per cent of the limits hold the truth, how many there are and their width."""
    known = [(low, high, truth) for (low, high), truth in pairs if not np.isnan(low)]
    table = np.asarray(known).reshape(-1, 3)
    held = (table[:, 0] <= table[:, 2]) & (table[:, 2] <= table[:, 1])
    width = float(np.mean(table[:, 1] - table[:, 0])) if len(table) else np.nan
    share = 100 * float(held.mean()) if len(table) else np.nan
    return {"held": share, "intervals": len(table), "width": width}


def fractions(fields: int) -> Iterator[dict[str, object]]:
    """Return coverage of area fractions by tiles and by points."""
    random = np.random.default_rng(SEED)
    kinds: dict[str, Callable[..., Mask]] = {"noise": excursion, "discs": discs}
    for kind, draw in kinds.items():
        for share in SHARES:
            for side in SIDES:
                for size in SIZES:
                    if 1.5 * size > side:
                        continue
                    masks = [draw(side, size, share, random) for _ in range(fields)]
                    some = [mask for mask in masks if mask.any() and not mask.all()]
                    yield {
                        "kind": kind,
                        "share": share,
                        "side": side,
                        "size": size,
                        **score((area_fraction(m, draws=500)[1:3], share) for m in some),
                        "points": score((count_points(m)[1:3], share) for m in some)["held"],
                    }


def bands(fields: int) -> Iterator[dict[str, object]]:
    """Return coverage of the bands of fractions, and of the lift of a map that knows nothing."""
    random = np.random.default_rng(SEED + 1)
    for side in SIDES[1:]:
        for size in SIZES:
            if 6 * size > side:
                continue
            found, lifts = [], []
            for _ in range(fields):
                mask = excursion(side, size, 0.3, random)
                picture = np.where(mask, 160, 90) + random.normal(0, 8, mask.shape)
                clusters = cluster_gray(picture.astype(np.uint8), 2)
                band = fraction_bands(picture.astype(np.uint8), clusters).iloc[1]
                found.append(((band["low_pct"], band["high_pct"]), 30.0))
                heat = scipy.special.ndtr(smooth_noise(side, size, random))
                lift = attribution_table(heat.astype(np.float32), clusters, draws=500).iloc[1]
                lifts.append(((lift["lift_low"], lift["lift_high"]), 1.0))
            yield {"side": side, "size": size, **score(found), "lift": score(lifts)["held"]}


def numbers(fields: int) -> Iterator[dict[str, object]]:
    """Return coverage of the number per area: by tiles, and as if regions were scattered."""
    random = np.random.default_rng(SEED + 2)
    kinds = {"at random": (0.0, 1), "kept apart": (16.0, 1), "families": (0.0, 6)}
    for kind, (apart, family) in kinds.items():
        for side in SIDES[1:]:
            masks = [scattered(side, 0.002, apart, family, random) for _ in range(fields)]
            tables = [measure_regions(mask) for mask in masks]
            truth = float(np.mean([number_per_area(t, side**2).estimate for t in tables]))
            every = np.ones((side, side), bool)
            tiles = (number_per_area(t, side**2, included=every)[1:3] for t in tables)
            poisson = (number_per_area(t, side**2)[1:3] for t in tables)
            yield {
                "kind": kind,
                "side": side,
                "regions": truth * side**2,
                **score((each, truth) for each in tiles),
                "scattered": score((each, truth) for each in poisson)["held"],
            }


def means(fields: int) -> Iterator[dict[str, object]]:
    """Return coverage of a mean over fields: fractions, and mean sizes of a log-normal sample."""
    random = np.random.default_rng(SEED + 3)
    for n in (2, 3, 5, 10):
        shares = [[excursion(128, 5, 0.3, random).mean() for _ in range(n)] for _ in range(fields)]
        sizes = [
            [np.exp(random.normal(3, 0.4, 40)).mean() for _ in range(n)] for _ in range(fields)
        ]
        yield {
            "fields": n,
            **score((mean_interval(each)[1:3], 0.3) for each in shares),
            "sizes": score((mean_interval(each)[1:3], np.exp(3.08)) for each in sizes)["held"],
        }


def main() -> None:
    """Print one table a kind of interval."""
    fields = int(sys.argv[1]) if len(sys.argv) > 1 else FIELDS
    for name, measure, most in (
        ("area fraction by tiles; points: Wilson's of a grid", fractions, fields),
        ("bands of fractions (share 30 %); lift: attribution to a map of noise", bands, fields),
        ("number per area by tiles; scattered: as a Poisson count", numbers, fields),
        ("means over fields (Student)", means, 4 * fields),
    ):
        print(
            f"\n{name}\n{pd.DataFrame(measure(most)).round(3).to_string(index=False)}", flush=True
        )


if __name__ == "__main__":
    main()
