"""What a link says of its sample alone: pixel size set by hand, region of interest, classes.

A file of a person's own does not travel, so nothing is said of one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import streamlit as st

from core.imaging.scale import words
from core.micrograph import Micrograph, PixelSize
from core.ui.page import rooms
from core.ui.parts import Words
from core.ui.shell import region, workspace

_PIXEL_SIZE, _REGION = "pixel-size", "region"
_NUMBER = re.compile(r"\d{1,7}(\.\d{1,17})?(e-\d\d)?", re.ASCII)
_SMALLEST_NM, _LARGEST_NM = 1e-4, 1e6  # as in the sidebar


def parts() -> Iterator[tuple[str, str]]:
    """Yield what was set for the current sample."""
    current = workspace.current()
    if current is None or not workspace.is_simulated(current):
        return
    for setting in rooms.of("sample"):
        if stated := st.session_state.get(setting.key_of(current.sha256)):
            yield setting.name, setting.write(stated)
    if current.pixel_size and words.is_set_by_hand(current):
        yield _PIXEL_SIZE, repr(current.pixel_size.to("nm"))
    if drawn := region.write(current):
        yield _REGION, drawn


def takers() -> Mapping[str, Callable[[str], None]]:
    """Return what takes each part over; each raises ValueError or UserError on what is none."""
    return {
        **{setting.name: partial(_take_words, setting) for setting in rooms.of("sample")},
        _PIXEL_SIZE: lambda text: _take_pixel_size(_sample(), text),
        _REGION: lambda text: region.take(_sample(), text),
    }


def _sample() -> Micrograph:
    current = workspace.current()
    if current is None or not workspace.is_simulated(current):
        raise ValueError("no sample")
    return current


def _take_words(setting: Words, text: str) -> None:
    st.session_state[setting.key_of(_sample().sha256)] = setting.read(text)


def _take_pixel_size(micrograph: Micrograph, text: str) -> None:
    if not _NUMBER.fullmatch(text) or not _SMALLEST_NM <= float(text) <= _LARGEST_NM:
        raise ValueError("not a pixel size in nm")
    workspace.set_pixel_size(micrograph.sha256, PixelSize(float(text), "nm"))
