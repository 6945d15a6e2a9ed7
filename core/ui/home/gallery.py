"""The gallery on the start page: one card per micrograph."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from core.imaging.display import write_level
from core.imaging.scale import specimen_field, words
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.home import scale_card, scale_table
from core.ui.parts import say, show
from core.ui.shell import grouping, samples, workspace

_CARDS_PER_PAGE = 12  # three rows of four on a wide window
_CARD_PX = 230  # at least
_PICTURE_WH = (220, 165)  # px
_TO_REMOVE = "home_to_remove"
_MARKED_SHARE = 0.01  # of saturated pixels, from which a badge says so


def _by_name(micrograph: Micrograph) -> list[tuple[int, str]]:
    """Return what names are sorted by: numbers in them count as numbers, so that 2 is before 10."""
    parts = re.split(r"([0-9]+)", micrograph.name)
    return [(int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in parts]


def _by_pixel_size(micrograph: Micrograph) -> float:
    return micrograph.pixel_size.to("nm") if micrograph.pixel_size else float("inf")


_ORDERS: dict[str, Callable[[Micrograph], Any]] = {
    "As loaded": lambda _: 0,
    "By name": _by_name,
    "Finest pixels first": _by_pixel_size,
    "Largest frames first": lambda micrograph: -micrograph.pixels.size,
}


def draw() -> None:
    """Draw how many there are and how much memory they take, then their cards."""
    micrographs = workspace.every()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(gap=None, width="stretch"):
            say.subheader("Loaded ({micrographs})", micrographs=len(micrographs))
            used, most = workspace.used_bytes() / 2**20, workspace.MOST_BYTES // 2**20
            amount = f"{used:.3g}" if used >= 0.1 else "less than 0.1"
            say.caption("{amount} MB of {most} MB in memory", amount=amount, most=most)
        if len(micrographs) > 1:
            micrographs = _sorted(micrographs)
            _remove_several(micrographs)
        _clear_all(len(workspace.every()))
    scale_table.draw()
    cards = st.grid(min_column_width=_CARD_PX)
    first = _turn_pages(len(micrographs))
    current = workspace.current()
    with cards:
        for micrograph in micrographs[first : first + _CARDS_PER_PAGE]:
            _card(micrograph, chosen=micrograph is current)


def _clear_all(count: int) -> None:
    """Ask before everything goes; it can be brought back until something else is loaded."""
    with st.popover("Clear all", icon=":material/delete_sweep:", key="home_clear_asked"):
        say.markdown("Take all {count} micrographs off the list?", count=count)
        if st.button("Clear all", key="home_clear", type="primary"):
            workspace.take_away()
            st.rerun()


def offer_back() -> None:
    """Offer what was cleared last, as long as nothing else was loaded."""
    if count := workspace.cleared():
        st.button(
            say.line("Bring {count} micrographs back", count=count),
            key="home_bring_back",
            icon=":material/undo:",
            on_click=workspace.bring_back,
        )


def _sorted(micrographs: list[Micrograph]) -> list[Micrograph]:
    """Draw the choice of the order and return the micrographs in it."""
    order: str = st.selectbox(
        "Sort by",
        _ORDERS,
        key="home_order",
        persist_state="session",
        width=190,
        label_visibility="collapsed",
    )
    return sorted(micrographs, key=_ORDERS[order])


def _remove_several(micrographs: list[Micrograph]) -> None:
    """Draw the list from which several are taken out at once."""
    names = workspace.short_names(micrographs)
    kept = st.session_state.get(_TO_REMOVE, ())
    st.session_state[_TO_REMOVE] = [sha256 for sha256 in kept if sha256 in names]
    with st.popover("Remove several", icon=":material/playlist_remove:", key="home_several"):
        chosen = st.multiselect(
            "Micrographs to remove", names, format_func=names.__getitem__, key=_TO_REMOVE
        )
        st.button(
            say.line("Remove {count}" if chosen else "Remove", count=len(chosen)),
            key="home_several_remove",
            disabled=not chosen,
            on_click=_remove,
            args=(chosen,),
        )


def _remove(chosen: list[str]) -> None:
    for sha256 in chosen:
        workspace.remove(sha256)
    st.session_state[_TO_REMOVE] = []


def _turn_pages(total: int) -> int:
    """Draw the choice of a page where one is not enough; return the place of its first card."""
    pages = -(-total // _CARDS_PER_PAGE)
    if pages < 2:
        return 0
    page = st.pagination(pages, key="home_page", persist_state="session")
    return _CARDS_PER_PAGE * (min(page, pages) - 1)


def prepare(micrograph: Micrograph) -> None:
    """Compute what a card shows, so that the gallery appears at once."""
    cache.thumbnail_png(micrograph, _thumbnail_px(micrograph))
    cache.window(micrograph)
    cache.saturated(micrograph)


def badges(micrograph: Micrograph) -> None:
    """Say in a word each what deserves attention."""
    samples.badge(micrograph)
    if sample := grouping.sample_of(micrograph):
        st.badge(say.line("{sample}", sample=sample), icon=":material/sell:", color="green")
    if micrograph.pixel_size is None:
        reason = str(micrograph.metadata.get("calibration", ""))
        st.badge(
            "no pixel size",
            color="orange",
            help=say.line("{reason}", reason=reason) if reason else None,
        )
    elif words.is_set_by_hand(micrograph):
        st.badge("pixel size by hand", color="blue")
    elif words.is_read_from_picture(micrograph):
        st.badge(
            "read from the picture",
            color="violet",
            help="The pixel size is that of the scale bar and the length that is written beside "
            "it: two ways of finding them agree. It can be changed in the sidebar.",
        )
    if any(cache.info_bars(micrograph)):
        st.badge("info bar found", color="blue")
    if cache.holds_lettering(micrograph):
        st.badge("letters or scale bar found", color="blue")
    share = cache.saturated(micrograph)
    if share > _MARKED_SHARE:
        st.badge(
            say.line("saturated {share:.0f}\xa0%", share=100 * share),
            color="red",
            help="Share of the specimen's pixels at a grey level where the signal was cut off.",
        )


def _card(micrograph: Micrograph, chosen: bool) -> None:
    with st.container(border=True, height="stretch", vertical_alignment="distribute"):
        with st.container(gap="xxsmall"):
            with st.container(height=_PICTURE_WH[1], border=False, horizontal_alignment="center"):
                st.image(
                    cache.thumbnail_png(micrograph, _thumbnail_px(micrograph)),
                    width=_fit_width(micrograph),
                    output_format="PNG",
                    alt=micrograph.name,
                )
            say.markdown("**{name}**", name=micrograph.name)
            for fact in facts(micrograph):
                say.caption("{fact}", fact=say.plain(fact))
            with st.container(horizontal=True, gap="xxsmall"):
                badges(micrograph)
            if micrograph.pixel_size is None and not chosen:  # it is asked beside the large picture
                with st.expander("Give a scale", icon=":material/straighten:"):
                    scale_card.draw(micrograph)
        _buttons(micrograph.sha256, chosen)


def facts(micrograph: Micrograph) -> list[str]:
    """Return size, depth and scale; field and instrument where known; the display window."""
    told_by_badges = "no pixel size", f"({words.given_later(micrograph)})"
    lines = [show.describe(micrograph)]
    for told in told_by_badges:
        lines[0] = lines[0].replace(told, "").rstrip(" ·")
    if micrograph.pixel_size is not None:
        lines.append(
            "Field {} × {}".format(
                *specimen_field(cache.overlays(micrograph), micrograph.pixel_size)
            )
        )
    scope = words.describe_instrument(micrograph).get("Microscope")
    if scope:
        lines[-1] += f" · {scope}"
    if cache.is_blank(micrograph, False):
        return [*lines, "All its pixels have one grey level"]
    low, high = cache.window(micrograph)
    return [*lines, f"Shown from grey {write_level(low)} to {write_level(high)}"]


def _buttons(sha256: str, chosen: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.button(
            "Chosen" if chosen else "Choose",
            f"home_choose_{sha256}",
            icon=":material/check:" if chosen else None,
            disabled=chosen,
            on_click=partial(workspace.select, sha256),
        )
        st.button(
            "",
            f"home_remove_{sha256}",
            "Remove",
            icon=":material/close:",
            type="tertiary",
            on_click=partial(workspace.remove, sha256),
        )


def _thumbnail_px(micrograph: Micrograph) -> int:
    """Return the longer side of a thumbnail no wider than it is shown.

    A wider one is drawn anew by Streamlit at every run.
    """
    height, width = micrograph.shape
    longer = _fit_width(micrograph) * max(height, width) // width
    return max(1, min(longer, 2 * max(_PICTURE_WH)))


def _fit_width(micrograph: Micrograph) -> int:
    """Return the width at which a thumbnail of any proportions fits on its card."""
    height, width = micrograph.shape
    return max(8, min(_PICTURE_WH[0], _PICTURE_WH[1] * width // height))
