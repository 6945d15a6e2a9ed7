"""Rows of a batch -> numbers per class, per sample and per cluster, in one unit per batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.measuring.statistics import Interval, mean_interval

NM_PER = {"nm": 1.0, "µm": 1e3}
EVIDENCE = (
    *("sample", "phase", "is_target", "fields"),
    *("area_percent", "area_low", "area_high"),
    *("evidence_percent", "evidence_low", "evidence_high"),
    "lift",
)


@dataclass(frozen=True, slots=True)
class Units:
    """Units that suit a batch: lengths in nm, µm or px; areas in nm², µm² or px."""

    length: str
    area: str

    @property
    def are_physical(self) -> bool:
        """Whether any file states a pixel size."""
        return self.length != "px"

    def length_of(self, nm: float) -> float:
        """Return a length given in nm."""
        return nm / NM_PER[self.length]

    def area_of(self, um2: float) -> float:
        """Return an area given in µm²."""
        return um2 * 1e6 if self.area == "nm²" else um2


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """What the fields of one class or sample have in common.

    Attributes
    ----------
    name : str
    area_percent : Interval
        Mean share of the target cluster over fields, in percent, with its 95 % t-interval.
    diameter : Interval
        Mean over fields of the mean equivalent diameter, in `Units.length`.
    regions : int
    """

    name: str
    area_percent: Interval
    diameter: Interval
    regions: int


@dataclass(frozen=True, slots=True)
class ClusterEvidence:
    """Mean area and evidence of a cluster in percent, over fields; `lift` is their ratio."""

    cluster: int
    area_percent: Interval
    evidence_percent: Interval
    lift: float


@dataclass(frozen=True, slots=True)
class SampleEvidence:
    """Where the network looks in one sample.

    Attributes
    ----------
    sample : str
        "" for fields of no named sample.
    target : int or None
        The cluster that is measured there; None where fields differ.
    clusters : tuple of ClusterEvidence
        From dark to bright; of the fields with evidence.
    """

    sample: str
    target: int | None
    clusters: tuple[ClusterEvidence, ...]

    @property
    def fields(self) -> int:
        """How many fields with evidence there are."""
        return self.clusters[0].evidence_percent.n if self.clusters else 0


def choose_units(rows: pd.DataFrame) -> Units:
    """Return the units in which the usual number of a batch has few digits."""
    sizes = rows["pixel_size_nm"].astype(float).dropna()
    if sizes.empty:
        return Units("px", "px")
    diameters = rows["mean_diameter_nm"].astype(float).dropna()
    usual_nm = float(diameters.median() if len(diameters) else 20 * sizes.median())
    areas = rows["target_area_µm2"].astype(float)
    known = areas[areas > 0]
    usual_um2 = float(known.median()) if len(known) else 1.0
    return Units("µm" if usual_nm >= 1000 else "nm", "nm²" if usual_um2 < 0.1 else "µm²")


def summarise_groups(fields: pd.DataFrame, column: str, units: Units) -> list[GroupSummary]:
    """Return one summary per value of a column, in the order of their first appearance."""
    summaries = []
    for name in dict.fromkeys(fields[column].fillna("")):
        group = fields[fields[column].fillna("") == name]
        summaries.append(
            GroupSummary(
                str(name),
                mean_interval(group["target_percent"].to_numpy(float)),
                mean_interval(diameters(group, units)),
                int(group["regions"].fillna(0).sum()),
            )
        )
    return summaries


def diameters(rows: pd.DataFrame, units: Units) -> NDArray[np.float64]:
    """Return each field's mean equivalent diameter in the batch's unit; NaN where unknown."""
    column = "mean_diameter_nm" if units.are_physical else "mean_diameter_px"
    values = rows[column].to_numpy(float)
    return values / NM_PER[units.length] if units.are_physical else values


def collect_regions(
    regions: Iterable[pd.DataFrame], fields: pd.DataFrame, units: Units, by: str = "label"
) -> dict[str, pd.DataFrame]:
    """Return all regions per sample or class: equivalent_diameter_U, touches_border, weight.

    `by` is the column of the fields that groups them: samples come in the order of their first
    field, classes by name. U is the batch's unit. Regions of micrographs without a pixel size are
    left out where others have one.
    """
    column = "equivalent_diameter_nm" if units.are_physical else "equivalent_diameter_px"
    scale = NM_PER[units.length] if units.are_physical else 1.0
    labels = dict(zip(fields["number"], fields[by].fillna(""), strict=True))
    found: dict[str, list[pd.DataFrame]] = {}
    for frame in regions:
        if len(frame) and int(frame["number"].iloc[0]) in labels:
            kept = frame[np.isfinite(frame[column].to_numpy(float))]
            table = kept.reindex(columns=["touches_border", "weight"])
            table.insert(0, f"equivalent_diameter_{units.length}", kept[column] / scale)
            found.setdefault(str(labels[int(frame["number"].iloc[0])]), []).append(table)
    names = dict.fromkeys(str(each) for each in labels.values())
    order = sorted(found) if by == "label" else list(names)
    joined = {n: pd.concat(found[n], ignore_index=True) for n in order if n in found}
    return {name: table for name, table in joined.items() if len(table)}


def collect_sizes(
    regions: Iterable[pd.DataFrame], fields: pd.DataFrame, units: Units, by: str = "label"
) -> dict[str, NDArray[np.float64]]:
    """Return the equivalent diameters of all regions per sample or class, in the batch's unit.

    `by` is the column of the fields that groups them.
    """
    found = collect_regions(regions, fields, units, by)
    column = f"equivalent_diameter_{units.length}"
    return {name: table[column].to_numpy(float) for name, table in found.items()}


def evidence_by_cluster(fields: pd.DataFrame, clusters: int) -> list[ClusterEvidence]:
    """Return what fields with evidence show, for each cluster from dark to bright."""
    seen = fields[fields["has_evidence"].astype(bool)]
    lines = []
    for number in range(clusters):
        area = mean_interval(seen[f"cluster_{number}_percent"].to_numpy(float))
        evidence = mean_interval(seen[f"cluster_{number}_evidence_percent"].to_numpy(float))
        lift = evidence.estimate / area.estimate if area.estimate else float("nan")
        lines.append(ClusterEvidence(number, area, evidence, lift))
    return lines


def evidence_by_sample(fields: pd.DataFrame, clusters: int) -> list[SampleEvidence]:
    """Return what each sample's fields show; those of no sample come last, none is pooled."""
    names = fields["sample"].fillna("")
    found = []
    for name in sorted(dict.fromkeys(names), key=lambda each: not each):
        group = fields[names == name]
        targets = group["target_cluster"].dropna().unique()
        target = int(targets[0]) if len(targets) == 1 else None
        found.append(SampleEvidence(str(name), target, tuple(evidence_by_cluster(group, clusters))))
    return found


def evidence_table(fields: pd.DataFrame, titles: Sequence[str]) -> pd.DataFrame:
    """Return one line per sample and cluster or phase: share of the area and of the evidence.

    Parameters
    ----------
    fields : DataFrame
        Rows of a batch, copies left out.
    titles : sequence of str
        What its clusters or phases are called, from number 0.

    Returns
    -------
    DataFrame
        sample, phase, is_target, fields, then area and evidence in percent, each a mean over
        fields with the ends of its 95 % t-interval within 0 to 100, and lift, their ratio.
        Samples without evidence have no line.
    """
    lines = []
    for found in evidence_by_sample(fields, len(titles)):
        for each in found.clusters if found.fields else ():
            area, evidence = _ends(each.area_percent), _ends(each.evidence_percent)
            named = found.sample, titles[each.cluster], found.target == each.cluster
            lines.append((*named, found.fields, *area, *evidence, each.lift))
    return pd.DataFrame(lines, columns=list(EVIDENCE))


def _ends(value: Interval) -> tuple[float, float, float]:
    """Return mean and ends of a share; one field has no ends."""
    if value.n < 2:
        return value.estimate, float("nan"), float("nan")
    return value.estimate, max(value.low, 0.0), min(value.high, 100.0)
