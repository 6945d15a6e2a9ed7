"""How large the pieces of a target are: histogram, percentiles and means, and what limits them."""

from __future__ import annotations

from math import isnan

import pandas as pd
import streamlit as st

from core.measuring.defaults import diameter_of
from core.measuring.regions import (
    LimitEffect,
    SizeDistribution,
    WeightedSizes,
    limit_effect,
    moment_mean,
    size_distribution,
    weighted_sizes,
)
from core.micrograph import PixelSize
from core.reporting import figures
from core.ui import cache
from core.ui.parts import measuring, say, show, tables

_VERDICTS, _NO_FIT = ((0.08, "fits well"), (0.15, "fits roughly")), "does not fit"  # below a gap


def draw(
    table: pd.DataFrame,
    size: PixelSize | None,
    prefix: str,
    *,
    smallest_px: int = 0,
    make_up_for_cut: bool = False,
) -> SizeDistribution:
    """Draw the histogram, percentiles by number, area or volume; return the distribution.

    Parameters
    ----------
    table : DataFrame
        One row per piece, as `measure_regions` returns them.
    size : PixelSize, optional
    prefix : str
        Begins the keys.
    smallest_px : int
        Area from which on pieces were measured; 0 where nothing was left out for its size.
    make_up_for_cut : bool
        Pieces that are cut are not in the table.
    """
    found = size_distribution(table, make_up_for_cut=make_up_for_cut)
    if not len(found.sizes):
        return found
    effect = _effect(found, size, smallest_px)
    show.chart(
        figures.size_distribution(
            found, near=1.25 * effect.limit if effect else 0.0, dark=show.is_dark()
        ),
        f"{prefix}_sizes",
        "Histogram of equivalent diameters with the cumulative curve and a log-normal fit",
        legend=False,
    )
    by = measuring.SIZES_BY.draw() or "number"
    _percentiles(weighted_sizes(table, by, make_up_for_cut=make_up_for_cut))
    _limit_words(effect, found)
    return found


def draw_more(
    table: pd.DataFrame,
    size: PixelSize | None,
    prefix: str,
    *,
    smallest_px: int = 0,
    make_up_for_cut: bool = False,
) -> None:
    """Say what the percentiles are, how a log-normal curve fits, and the mean diameters.

    Parameters are those of `draw`.
    """
    found = size_distribution(table, make_up_for_cut=make_up_for_cut)
    _words(measuring.SIZES_BY.value(), found)
    if table.empty:
        return
    _means(table, make_up_for_cut)
    _rounded(table)
    effect = _effect(found, size, smallest_px)
    if effect is not None and len(effect.curve) > 1 and (effect.moves_d10 or effect.moves_d50):
        show.chart(
            figures.limit_curve(effect, found.unit, dark=show.is_dark()),
            f"{prefix}_limit_curve",
            "D10 and D50 against the smallest object that counts",
        )


def _effect(
    found: SizeDistribution, size: PixelSize | None, smallest_px: int
) -> LimitEffect | None:
    """Return what the smallest object that counts does to percentiles, if there is such a limit."""
    if not smallest_px:
        return None
    return limit_effect(found, _limit(smallest_px, found.unit, size))


def _limit(smallest_px: int, unit: str, size: PixelSize | None) -> float:
    """Return the diameter of the smallest piece in the unit of the sizes."""
    across_px = diameter_of(smallest_px)
    return across_px if size is None or unit == "px" else across_px * size.to(unit)


def _limit_words(effect: LimitEffect | None, found: SizeDistribution) -> None:
    """Say whether percentiles depend on the smallest object."""
    if effect is None:
        return
    moved = [
        name for name, moves in (("D10", effect.moves_d10), ("D50", effect.moves_d50)) if moves
    ]
    limit, unit = f"{effect.limit:.3g}", found.unit
    if not moved:
        say.caption(
            "{share} of the objects are at the limit of {limit} {unit} (hatched); D10 and D50 "
            "stay within a tenth when it is doubled.",
            share=tables.percent(effect.share),
            limit=limit,
            unit=unit,
        )
        return
    say.warning(
        "**The smallest sizes are your limit:** {share} of the objects are at {limit} {unit} "
        "(hatched), and {moved} {depend} on it: twice that limit would change more than a tenth.",
        share=tables.percent(effect.share),
        limit=limit,
        unit=unit,
        moved=" and ".join(moved),
        depend="depends" if len(moved) == 1 else "depend",
        icon=":material/straighten:",
    )


def _percentiles(sizes: WeightedSizes) -> None:
    with st.container(horizontal=True):
        for name, value in (("D10", sizes.d10), ("D50", sizes.d50), ("D90", sizes.d90)):
            shown = "–" if isnan(value) else f"{value:.4g} {sizes.unit}"
            say.metric(name, shown, width="content")


def _words(by: str, found: SizeDistribution) -> None:
    """Say what percentiles are of, and how a log-normal curve fits."""
    if by == "number":
        what = "of the objects have a smaller equivalent diameter"
    else:
        what = f"of the {by} of all objects is in smaller ones"
    cut = (
        ""
        if found.weights is None
        else (
            " Cut objects are left out, and each other counts for those of its size that are cut "
            "(Miles–Lantuéjoul)."
        )
    )
    say.caption(
        "By {by}: 10, 50 and 90 % {what}.{cut} {fit}",
        by=by,
        what=say.Line(what),
        cut=say.Line(cut),
        fit=say.Line(describe_fit(found)),
    )


def _means(table: pd.DataFrame, make_up_for_cut: bool) -> None:
    """Draw Sauter's and De Brouckere's mean diameter."""
    sauter, brouckere = (
        moment_mean(table, above, above - 1, make_up_for_cut=make_up_for_cut) for above in (3, 4)
    )
    say.caption(
        "D[3,2] = {sauter:.4g} {unit} (Sauter), D[4,3] = {brouckere:.4g} {unit} (De Brouckere).",
        sauter=sauter,
        brouckere=brouckere,
        unit=cache.unit_of(table),
    )


def _rounded(table: pd.DataFrame) -> None:
    """Say what circularity is worth where pieces are small."""
    rounded = int(table["outline_too_short"].sum()) if "outline_too_short" in table else 0
    if rounded:
        noun = "object looks" if rounded == 1 else "objects look"
        say.caption(
            "{rounded} {noun} rounder than a circle, since few pixels make a short outline; "
            "circularity is set to 1 there.",
            rounded=rounded,
            noun=noun,
        )


def describe_fit(found: SizeDistribution) -> str:
    """Return a sentence on the log-normal fit, or why there is none."""
    if found.fit is None:
        return "A log-normal fit needs at least three different sizes."
    fit = found.fit
    verdict = next((words for most, words in _VERDICTS if fit.gap < most), _NO_FIT)
    return (
        f"A log-normal curve with median {fit.median:.4g} {found.unit} and geometric spread "
        f"{fit.spread:.3g} {verdict}: it is at most {100 * fit.gap:.0f} % off the counted one."
    )
