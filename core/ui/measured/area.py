"""How sure the area of a target is, and how many pieces there are per area."""

from __future__ import annotations

from math import isnan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.imaging.scale import area_unit
from core.measuring.regions import number_per_area
from core.measuring.statistics import Interval, points_needed, why_no_interval
from core.micrograph import PixelSize
from core.ui.parts import say, tables

Mask = NDArray[np.bool_]


def describe_area(
    target: int | str, tiles: Interval, points: Interval, area_px: int, size: PixelSize | None
) -> say.Line:
    """Return sentences on how sure the area of a cluster (by its number) or of a phase is."""
    who = (
        say.line("Cluster {n}", n=target)
        if isinstance(target, int)
        else say.line("“{n}”", n=target)
    )
    low, middle, high = (
        "" if isnan(share) else tables.write_area(round(share * area_px), size)
        for share in (tiles.low, tiles.estimate, tiles.high)
    )
    covers = say.line(
        "{who} covers **{share}** of what counts",
        who=who,
        share=tables.percent(tiles.estimate),
    )
    counted = say.line(
        "Counting {points} points of a grid instead gives {share} ({range} if structures are "
        "smaller than the steps of the grid; on one field, while ASTM E562 is over many){more}.",
        points=points.n,
        share=tables.percent(points.estimate),
        range=_range(points),
        more=_more_points(points),
    )
    if why := why_no_interval(tiles.n):
        return say.line(
            "{covers}, or {area}. {why} {counted}",
            covers=covers,
            area=middle,
            why=say.Line(why),
            counted=counted,
        )
    flat = "" if 0 < tiles.estimate < 1 else " if structures are no larger than a tile"
    return say.line(
        "{covers} (95 %: {range}{flat}), or {area} ({low} to {high}). The interval comes from "
        "drawing {tiles} tiles of this field again: it holds for other places of a uniform "
        "specimen. {counted}",
        flat=say.Line(flat),
        covers=covers,
        range=_range(tiles),
        area=middle,
        low=low,
        high=high,
        tiles=tiles.n,
        counted=counted,
    )


def describe_share(who: say.Line, share: Interval) -> say.Line:
    """Return in a sentence how much of what counts something covers, with its interval."""
    if isnan(share.estimate):
        return say.line("Nothing counts in this frame.")
    covered = say.line(
        "{who} covers **{share}** of what counts", who=who, share=tables.percent(share.estimate)
    )
    if isnan(share.low):
        return say.line("{covered}.", covered=covered)
    return say.line("{covered} (95 %: {range}).", covered=covered, range=_range(share))


def _more_points(points: Interval) -> say.Line:
    """Return how many points would be enough, where there are any on the cluster."""
    if not 0 < points.estimate < 1:
        return say.line("")
    needed = points_needed(points.estimate, 0.1)
    return say.line("; ± 10 % of that takes {needed} points", needed=tables.thousands(needed))


def _range(value: Interval) -> str:
    return f"{100 * value.low:.1f} to {100 * value.high:.1f}\u00a0%"


def describe_density(regions: pd.DataFrame, included: Mask, size: PixelSize | None) -> say.Line:
    """Return a sentence on the number of pieces per area; those on the border are among them."""
    area_px = int(np.count_nonzero(included))
    if size is None:
        area, unit = area_px / 1e6, "megapixel"
    else:
        length, nanometres = area_unit(area_px * size.to("nm") ** 2)
        area, unit = area_px * (size.to("nm") / nanometres) ** 2, f"{length}²"
    found = number_per_area(regions, area, included=included)
    is_plain = found == number_per_area(regions, area)
    half = int(regions["touches_border"].sum())
    many = "The one on the border counts" if half == 1 else f"The {half} on the border count"
    halves = say.line(" {many} half.", many=many) if half else say.line("")
    return say.line(
        "**{count} per {unit}** (95 %: {low} to {high}{few}).{halves}",
        few=say.Line(", if they are scattered at random" if is_plain else ""),
        count=_count(found.estimate),
        unit=unit,
        low=_count(found.low),
        high=_count(found.high),
        halves=halves,
    )


def _count(value: float) -> str:
    """Write a number of regions without powers of ten."""
    short = f"{value:.3g}"
    return short if value < 1000 else tables.thousands(float(short))
