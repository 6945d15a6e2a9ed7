"""How much of an explanation falls in each cluster: which phase drove the decision.

A cluster's share of the evidence is set against its share of the area; their ratio is the lift.
Two intervals say what to think of it: one from drawing the tiles of the frame again, and one from
the same map put down anywhere else, which knows nothing of the phases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.measuring.statistics import (
    DRAWS,
    SEED,
    TILES,
    draw_again,
    limits,
    tile_numbers,
    tile_starts,
)

Floats = NDArray[np.float64]
CELLS = 64  # longer side of the grid on which a map is moved: finer than any map of a network
CHANCE = (0.025, 0.975)
BAND_PX = 1 << 20  # of a large frame at once


class HasHeatmap(Protocol):
    """An explanation: `heatmap` of shape (H, W), not negative."""

    @property
    def heatmap(self) -> NDArray[Any]:
        """Evidence per pixel."""


class HasLabels(Protocol):
    """A clustering: `labels` of shape (H, W), -1 where excluded."""

    @property
    def labels(self) -> NDArray[Any]:
        """Number of the cluster of each pixel."""


def attribution_share(
    explanation: HasHeatmap | NDArray[Any], clustering: HasLabels | NDArray[Any]
) -> pd.DataFrame:
    """Compare each cluster's share of the evidence with its share of the area.

    Parameters
    ----------
    explanation : Explanation, or ndarray of shape (H, W)
        Evidence per pixel: finite and not negative. What lies outside its `seen_box` was never
        seen by the network and counts neither as area nor as evidence.
    clustering : Clustering, or ndarray of shape (H, W) of integers or bool
        Labels from 0, such as clusters, phases of a threshold or any mask; pixels with -1 count
        neither as area nor as evidence.

    Returns
    -------
    DataFrame
        One row per cluster: cluster, area_share and evidence_share, which each add up to 1, and
        lift, their ratio: 1 where the network looks as much as anywhere, above 1 where it looks
        more. Without any evidence, evidence_share and lift are NaN; lift is NaN for a cluster
        without pixels.

    Raises
    ------
    ValueError
        If the two do not have the same shape, or hold other values.

    References
    ----------
    Kohlbrenner et al. (2020), Towards best practice in explaining neural network decisions with
    LRP, IJCNN, arXiv:1910.09840 (the share of relevance inside an object's mask, and weighted by
    its size).
    """
    heat, labels, clusters = _read(explanation, clustering)
    area, evidence = np.zeros(clusters), np.zeros(clusters)
    band = max(1, BAND_PX // labels.shape[1])
    for top in range(0, len(labels), band):  # in bands: copies of a large frame take memory
        rows = labels[top : top + band]
        counted = rows >= 0
        weights = heat[top : top + band][counted]
        area += np.bincount(rows[counted], minlength=clusters)
        evidence += np.bincount(rows[counted], weights=weights, minlength=clusters)
    return _shares(area, evidence)


def attribution_table(
    explanation: HasHeatmap | NDArray[Any],
    clustering: HasLabels | NDArray[Any],
    *,
    confidence: float = 0.95,
    tiles: int = TILES,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pd.DataFrame:
    """Return `attribution_share` with intervals, and what a map without knowledge would give.

    Parameters
    ----------
    explanation, clustering
        As in `attribution_share`.
    confidence : float
        Between 0 and 1.
    tiles, draws, seed : int
        See `core.measuring.statistics.tiles`.

    Returns
    -------
    DataFrame
        The columns of `attribution_share`, and evidence_low, evidence_high, lift_low, lift_high
        (limits from drawing tiles of the frame again), chance_lift, chance_low, chance_high (mean
        and central 95 % of the lift over all places to which the same map can be moved, mirrored or
        not; what leaves the frame enters on the other side). NaN where there is nothing to say.

    Raises
    ------
    ValueError
        As in `attribution_share`.

    References
    ----------
    Hall (1985), see `draw_again`. Lotwick & Silverman (1982), Methods for analysing spatial
    processes of several types of points, JRSS B 44:406 (moving one pattern over the other).
    """
    heat, labels, clusters = _read(explanation, clustering)
    area, evidence = _cells(heat, labels, clusters)
    table = _shares(area.sum(axis=(1, 2)), evidence.sum(axis=(1, 2)))
    over_tiles = _tile_totals(heat, labels, clusters, tiles)
    spread = _spread(*over_tiles, table, confidence, draws, seed)
    return pd.concat([table, spread, _chance(area, evidence)], axis=1)


def describe_attribution(table: pd.DataFrame, target: str, names: Sequence[str] = ()) -> str:
    """Return a sentence on the cluster that carries most evidence beyond its area.

    Parameters
    ----------
    table : DataFrame
        Of `attribution_share` or `attribution_table`; the latter adds intervals and a judgement.
    target : str
        The explained class in words.
    names : sequence of str, optional
        Of the clusters, where they are not numbered from dark to bright: phases.

    Returns
    -------
    str
        Such as "Cluster 2 (bright) covers 18 % of the area and carries 61 % of the evidence for
        dendrites, lift 3.4".
    """
    if table["evidence_share"].isna().all():
        return f"There is no evidence for {target} in the pixels that count."
    excess = (table["evidence_share"] - table["area_share"]).to_numpy(np.float64)
    row = table.iloc[int(np.nanargmax(excess))]
    number = int(row["cluster"])
    who = f"“{names[number]}”" if names else f"Cluster {number} ({tone(number, len(table))})"
    sentence = (
        f"{who} covers {_percent(row['area_share'])} of "
        f"the area and carries {_percent(row['evidence_share'])} of the evidence for {target}, "
        f"lift {row['lift']:.2g}"
    )
    if "lift_low" not in table:
        return sentence + "."
    if np.isfinite(row["lift_low"]):
        sentence += f" (95 %: {row['lift_low']:.2g} to {row['lift_high']:.2g})"
    return f"{sentence}. {_judge(row, 'phase' if names else 'cluster')}"


def tone(number: int, clusters: int) -> str:
    """Return how a cluster looks, numbered from dark to bright."""
    names = {1: ("all",), 2: ("dark", "bright"), 3: ("dark", "medium", "bright")}
    if clusters in names:
        return names[clusters][number]
    ends = {0: "darkest", clusters - 1: "brightest"}
    return ends.get(number, f"{number + 1} of {clusters} from dark to bright")


def _judge(row: pd.Series, what: str) -> str:
    """Say whether a lift is more than the map would have reached anywhere."""
    if not np.isfinite(row["chance_high"]):
        return f"A single {what} leaves nothing to compare with."
    band = f"{row['chance_low']:.2g} to {row['chance_high']:.2g}"
    if row["lift"] > row["chance_high"]:
        return f"The same map laid elsewhere in the frame reaches {band}: this is no chance."
    return (
        f"The same map laid elsewhere in the frame reaches {band}, too: "
        f"no {what} stands out from chance."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 or share == 0 else f"{100 * share:.2g} %"


def _read(
    explanation: HasHeatmap | NDArray[Any], clustering: HasLabels | NDArray[Any]
) -> tuple[Floats, NDArray[Any], int]:
    """Return heat map, labels with -1 where nothing counts, and the number of clusters."""
    heat = np.asarray(getattr(explanation, "heatmap", explanation))
    labels = np.asarray(getattr(clustering, "labels", clustering))
    if labels.dtype == np.bool_:
        labels = labels.astype(np.int16)
    _check(heat, labels)
    clusters = int(getattr(clustering, "k", labels.max() + 1))
    box = getattr(explanation, "seen_box", None)
    if box is not None and tuple(box) != (0, 0, *labels.shape):
        top, left, bottom, right = box
        seen = np.full(labels.shape, -1, np.int64)
        seen[top:bottom, left:right] = labels[top:bottom, left:right]
        labels = seen
    if labels.max() < 0:
        raise ValueError("labels must include at least one pixel; all are -1 or outside seen_box")
    return heat, labels, clusters


def _shares(area: Floats, evidence: Floats) -> pd.DataFrame:
    """Return shares and lift of totals per cluster."""
    area_share = area / area.sum()
    evidence_share = evidence / (evidence.sum() or np.nan)
    return pd.DataFrame(
        {
            "cluster": np.arange(area.size),
            "area_share": area_share,
            "evidence_share": evidence_share,
            "lift": evidence_share / np.where(area_share > 0, area_share, np.nan),
        }
    )


def _cells(heat: Floats, labels: NDArray[Any], clusters: int) -> tuple[Floats, Floats]:
    """Return area and evidence per cluster in the cells of a grid, each (clusters, rows, cols)."""
    height, width = labels.shape
    scale = CELLS / max(height, width, CELLS)
    rows, cols = max(1, round(height * scale)), max(1, round(width * scale))
    down, right = np.arange(height) * rows // height, np.arange(width) * cols // width
    cell = down[:, None] * cols + right[None, :]
    return _totals(heat, labels, clusters, cell, (rows, cols))


def _tile_totals(
    heat: Floats, labels: NDArray[Any], clusters: int, tiles: int
) -> tuple[Floats, Floats]:
    """Return area and evidence per cluster in the tiles over what counts."""
    included = labels >= 0
    rows, cols = tile_starts(labels.shape, tiles, included)
    cell = tile_numbers(labels.shape, tiles, included)
    return _totals(heat, labels, clusters, cell, (rows.size, cols.size))


def _totals(
    heat: Floats,
    labels: NDArray[Any],
    clusters: int,
    cell: NDArray[np.int64],
    grid: tuple[int, int],
) -> tuple[Floats, Floats]:
    """Return area and evidence per cluster in numbered cells, each (clusters, rows, cols)."""
    rows, cols = grid
    counted = labels >= 0
    place = labels[counted].astype(np.int64) * (rows * cols) + cell[counted]
    size = clusters * rows * cols
    area = np.bincount(place, minlength=size).astype(np.float64)
    evidence = np.bincount(place, weights=heat[counted], minlength=size).astype(np.float64)
    return area.reshape(clusters, rows, cols), evidence.reshape(clusters, rows, cols)


def _spread(
    areas: Floats,
    weights: Floats,
    table: pd.DataFrame,
    confidence: float,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Return limits of evidence share (on the logit scale) and lift (on the logarithmic one)."""
    used = areas.sum(axis=0) > 0
    drawn = draw_again(np.stack([areas, weights]), draws=draws, seed=seed, used=used)
    expit, logit = scipy.special.expit, scipy.special.logit
    rows = []
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = drawn / drawn.sum(axis=1, keepdims=True)
        lifts = np.log(shares[1] / shares[0])
        pulls = [totals / totals.sum() for totals in (areas.sum(axis=0), weights.sum(axis=0))]
        for number, (share, lift) in enumerate(
            zip(table["evidence_share"], table["lift"], strict=True)
        ):
            inside = weights[number] - share * weights.sum(axis=0)
            low, high = limits(logit(share), logit(shares[1, number]), inside, confidence, used)
            own = weights[number] / weights[number].sum() - areas[number] / areas[number].sum()
            pull = np.nan_to_num(own - pulls[1] + pulls[0])
            below, above = np.exp(limits(np.log(lift), lifts[number], pull, confidence, used))
            rows.append((float(expit(low)), float(expit(high)), float(below), float(above)))
    return pd.DataFrame(rows, columns=["evidence_low", "evidence_high", "lift_low", "lift_high"])


def _chance(area: Floats, evidence: Floats) -> pd.DataFrame:
    """Return mean and central 95 % of each cluster's lift over all places of the map.

    All moves at once: the evidence per cluster is a cyclic correlation of the map with where the
    cluster lies.
    """
    together = area.sum(axis=0)
    total = evidence.sum()
    found = np.full((area.shape[0], 3), np.nan)
    if total > 0:
        mean = total / together.sum()
        density = np.where(
            together > 0, evidence.sum(axis=0) / np.where(together > 0, together, 1), mean
        )
        lifts = np.concatenate([_moved(area, density[::d, ::r]) for d, r in _MIRRORED], axis=1)
        for number in np.flatnonzero(area.sum(axis=(1, 2)) > 0):
            found[number] = lifts[number].mean(), *np.quantile(lifts[number], CHANCE)
    if np.count_nonzero(area.sum(axis=(1, 2))) < 2:
        found[:] = np.nan
    return pd.DataFrame(found, columns=["chance_lift", "chance_low", "chance_high"])


_MIRRORED = ((1, 1), (1, -1), (-1, 1), (-1, -1))


def _moved(area: Floats, density: Floats) -> Floats:
    """Return the lift per cluster, shape (clusters, moves), for every cyclic move of a map."""
    shape = density.shape
    spectrum = np.conj(np.fft.rfft2(density))
    evidence = np.fft.irfft2(np.fft.rfft2(area) * spectrum, s=shape).reshape(len(area), -1)
    evidence = np.maximum(evidence, 0)  # rounding
    area_share = area.sum(axis=(1, 2)) / area.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(evidence / evidence.sum(axis=0) / area_share[:, None])


def _check(heat: Floats, labels: NDArray[Any]) -> None:
    """Refuse maps that cannot be laid over each other."""
    if heat.ndim != 2 or heat.shape != labels.shape:
        raise ValueError(
            f"heatmap and labels must have one shape (H, W), got {heat.shape} and {labels.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers, got {labels.dtype}")
    if not np.isfinite(heat).all() or heat.min() < 0:
        raise ValueError("heatmap must be finite and not negative")
