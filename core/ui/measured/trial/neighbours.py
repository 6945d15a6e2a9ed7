"""Would another setting read look-alikes better? Neighbours of what is set, judged on the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import pandas as pd
import streamlit as st

from core.measuring.defaults import area_of
from core.measuring.twins import Judgement, best_setting
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import Setting, Switch, say, show, working
from core.ui.shell import SMALLEST, SMALLEST_NM

_SMALLER = 4  # in area: half and twice the diameter
_BIASED = (
    "Look-alikes hold objects as the settings above found them: a setting that would find others "
    "is judged on these. A change is named where it pays by far."
)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another way to measure, in words ("with 4 clusters"), and which settings make it."""

    words: str
    objects: cache.Objects
    sets: tuple[tuple[Setting, Any], ...]

    def take(self) -> None:
        """Set it."""
        for setting, value in self.sets:
            setting.put(value)


def of_size(micrograph: Micrograph, meant: cache.Objects) -> list[Neighbour]:
    """Return the same with smaller and with larger objects left out."""
    nm, size, now = SMALLEST_NM.value(), micrograph.pixel_size, meant.found_by.smallest_px
    if nm and size is not None:
        return [
            _from_size(
                meant, area_of(each / size.to("nm")), f"{each:g} nm across", SMALLEST_NM, each
            )
            for each in (nm / 2, 2 * nm)
        ]
    areas = (max(1, round(now / _SMALLER)), _SMALLER * now)
    return [
        _from_size(meant, area, f"{area} px", SMALLEST, area)
        for area in areas
        if area not in (now, SMALLEST.default)  # its default means: as noise asks for
    ]


def _from_size(
    meant: cache.Objects, area_px: int, words: str, setting: Setting, value: float
) -> Neighbour:
    found_by = replace(meant.found_by, smallest_px=area_px)
    words = f"with objects from {words} on"
    return Neighbour(words, replace(meant, found_by=found_by), ((setting, value),))


def of_split(meant: cache.Objects, setting: Switch) -> list[Neighbour]:
    """Return the same with touching objects split, or left whole."""
    if not setting.counts():
        return []
    split = not meant.found_by.split
    words = "with touching objects split" if split else "with touching objects left whole"
    found_by = replace(meant.found_by, split=split)
    return [Neighbour(words, replace(meant, found_by=found_by), ((setting, split),))]


def draw(
    micrograph: Micrograph,
    meant: cache.Objects,
    given: cache.Given,
    others: Callable[[], Sequence[Neighbour]],
    count: int,
    prefix: str,
) -> None:
    """Draw what asks for the comparison, and once asked, which setting is better, to be taken."""
    on = st.toggle(
        "Would another setting be better?",
        key=f"{prefix}_trial_others",
        persist_state="session",
        help="Neighbours of what is set measure the same look-alikes. Takes some times as long.",
    )
    if not on:
        return
    neighbours = others()
    if not neighbours:
        st.caption("What is set has no neighbours to try.")
        return
    asked = tuple((each.words, each.objects) for each in neighbours)
    with working.progress_bar("Trying other settings: {} …") as tell:
        found = cache.judged_beside(micrograph, meant, asked, count, given, tell)
    by_words = {each.words: each for each in neighbours}
    best = best_setting(found)
    if best is None:
        say.markdown("None of {count} neighbours is clearly better.", count=len(neighbours))
    else:
        say.markdown("{words}", words=gain(best, found[""], found[best]))
        st.button(
            "Take it",
            icon=":material/check:",
            key=f"{prefix}_trial_take",
            on_click=by_words[best].take,
            help="Sets it in the sidebar, and measures anew.",
        )
    _table(found, prefix)
    say.caption("{words}", words=_BIASED)


def gain(words: str, before: Judgement, after: Judgement) -> say.Line:
    """Return which error falls most: "With …, the error of the count falls from 31 to 6 %."."""
    names = {"count": "count", "d50": "D50", "fraction": "share"}
    falls = {
        name: before.error[name] - after.error[name]
        for name in names
        if isfinite(before.error[name]) and isfinite(after.error[name])
    }
    name = max(falls, key=lambda each: falls[each])
    return say.line(
        "{first}{rest}, the error of the {what} falls from **{old:.2g} to {new:.2g} %**.",
        first=words[0].upper(),
        rest=words[1:],
        what=names[name],
        old=100 * before.error[name],
        new=100 * after.error[name],
    )


def _table(found: dict[str, Judgement], prefix: str) -> None:
    """Draw the errors by each setting, in per cent."""
    rows = pd.DataFrame(
        {
            "setting": [(words or "as it is set").removeprefix("with ") for words in found],
            "count error (%)": [100 * each.error.count for each in found.values()],
            "D50 error (%)": [100 * each.error.d50 for each in found.values()],
            "share error (%)": [100 * each.error.fraction for each in found.values()],
            "missed or merged (%)": [_lost(each) for each in found.values()],
            "invented (%)": [
                100 * each.objects.invented / max(each.objects.found, 1) for each in found.values()
            ],
        }
    )
    key = f"{prefix}_trial_others_table"
    st.dataframe(rows, hide_index=True, column_config=show.formats(rows), key=key)


def _lost(said: Judgement) -> float:
    return 100 * (said.objects.missed + said.objects.merged) / max(said.objects.true, 1)
