"""Chains of filters and what they change.

Every step is kept on its own, under all steps up to it: a change in the fourth computes the fourth
and those after it. Other micrographs that steps name are part of the chain by their digest, hence
not of the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.imaging import display
from core.imaging.display import directions, save_tiff_bytes, to_sixteen_bits
from core.imaging.filtering import (
    Pipeline,
    Point,
    Quality,
    RadialPower,
    Stage,
    line_profile,
    measure_quality,
    nearest_peak,
    radial_power,
    run_step,
    spectrum,
)
from core.micrograph import Micrograph
from core.reporting import figures
from core.ui.cache.shared import BY_KEY, BY_PIXELS, encode, excluded, picture

SPECTRUM_PX = 720
_PREVIEW_PX = 320
Others = Mapping[str, Micrograph]


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What is said of one step: how long it took, where it cut, and what it left."""

    elapsed_s: float
    thresholds: tuple[float, ...]
    quality: Quality


@st.cache_data(max_size="256MB", show_spinner=False, hash_funcs=BY_KEY)
def stage(micrograph: Micrograph, chain_json: str, exclude: bool, _others: Others) -> Stage:
    """Return the micrograph after the last step of a chain of at least one."""
    *before, last = Pipeline.from_json(chain_json).steps
    entering = filtered(micrograph, Pipeline(before).to_json(), exclude, _others)
    return run_step(last, entering, excluded(micrograph, exclude), _others)


def filtered(micrograph: Micrograph, chain_json: str, exclude: bool, others: Others) -> Micrograph:
    """Return the micrograph after a chain of filters; without any, itself."""
    if not Pipeline.from_json(chain_json).steps:
        return micrograph
    return stage(micrograph, chain_json, exclude, others).micrograph


@st.cache_data(max_entries=2048, show_spinner=False, hash_funcs=BY_KEY)
def step_facts(
    micrograph: Micrograph, chain_json: str, exclude: bool, _others: Others
) -> StepFacts:
    """Return what the last step of a chain took, found and left."""
    found = stage(micrograph, chain_json, exclude, _others)
    left = quality(found.micrograph, micrograph, exclude)
    return StepFacts(found.elapsed_s, found.thresholds, left)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_KEY)
def quality(micrograph: Micrograph, original: Micrograph, exclude: bool) -> Quality:
    """Return noise, contrast and sharpness of what was made of a micrograph."""
    return measure_quality(micrograph, excluded(original, exclude))


@st.cache_data(max_size="16MB", show_spinner=False, hash_funcs=BY_KEY)
def filter_preview(
    micrograph: Micrograph, chain_json: str, exclude: bool, _others: Others
) -> tuple[Micrograph, Micrograph]:
    """Return the middle of a micrograph before and after a chain that worked on it alone."""
    part = _middle(micrograph.shape)
    mask = excluded(micrograph, exclude)
    mask = None if mask is None or mask[part].all() else mask[part]
    crop = micrograph.with_pixels(micrograph.pixels[part], "middle")
    same = {
        digest: other.with_pixels(other.pixels[part], "middle")
        if other.shape == micrograph.shape
        else other
        for digest, other in _others.items()
    }
    return crop, Pipeline.from_json(chain_json)(crop, exclude=mask, others=same)


def preview_share(micrograph: Micrograph) -> float:
    """Return which share of the frame a preview shows."""
    rows, cols = _middle(micrograph.shape)
    height, width = micrograph.shape
    return float((rows.stop - rows.start) * (cols.stop - cols.start) / (height * width))


def _middle(shape: tuple[int, int]) -> tuple[slice, slice]:
    sides = [min(side, _PREVIEW_PX) for side in shape]
    starts = [(side - kept) // 2 for side, kept in zip(shape, sides, strict=True)]
    return slice(starts[0], starts[0] + sides[0]), slice(starts[1], starts[1] + sides[1])


@st.cache_data(max_size="8MB", show_spinner=False, hash_funcs=BY_KEY)
def filter_histogram(
    before: Micrograph,
    after: Micrograph,
    original: Micrograph,
    thresholds: tuple[float, ...],
    exclude: bool,
    dark: bool,
) -> go.Figure:
    """Return the grey levels before and after; thresholds lie on the first."""
    mask = excluded(original, exclude)
    return figures.histogram(before, after, thresholds, exclude=mask, dark=dark)


@st.cache_data(max_size="8MB", show_spinner=False, hash_funcs=BY_PIXELS)
def profile_figure(
    before: Micrograph, after: Micrograph, start: Point, end: Point, width_px: int, dark: bool
) -> go.Figure:
    """Return the grey levels along a line, before and after."""
    first, second = (line_profile(each, start, end, width_px=width_px) for each in (before, after))
    same = before.pixels.dtype == after.pixels.dtype
    return figures.line_profiles(first, second, same_depth=same, dark=dark)


@st.cache_data(max_size="16MB", show_spinner="Transforming …", hash_funcs=BY_KEY)
def _radial(micrograph: Micrograph, original: Micrograph, exclude: bool) -> RadialPower:
    return radial_power(_finite(micrograph), excluded(original, exclude))


def radial_figure(
    before: Micrograph, after: Micrograph, original: Micrograph, exclude: bool, dark: bool
) -> go.Figure:
    """Return the power at each period, before and after."""
    first, second = (_radial(each, original, exclude) for each in (before, after))
    return figures.radial_powers(first, second, before.pixel_size, dark=dark)


@st.cache_data(max_size="32MB", show_spinner="Transforming …", hash_funcs=BY_KEY)
def spectrum_png(micrograph: Micrograph, original: Micrograph, exclude: bool) -> bytes:
    """Return the power spectrum as a square picture, zero frequency in the middle."""
    power: NDArray[Any] = spectrum(_finite(micrograph), excluded(original, exclude))
    side = min(SPECTRUM_PX, max(64, *power.shape))
    for axis in (0, 1):  # averaged where there are more frequencies than places, repeated else
        wanted = (side, power.shape[0]) if axis else (power.shape[1], side)
        shrinks = power.shape[axis] > side
        way = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
        power = cv2.resize(power, wanted, interpolation=way)
    return display.png_bytes(display.to_display(Micrograph("spectrum", np.log10(power + 1))))


def snapped(
    shown: Micrograph, original: Micrograph, exclude: bool, spot: tuple[float, float]
) -> tuple[float, float]:
    """Return the strongest frequency near a spot (down, right)."""
    return nearest_peak(_finite(shown), excluded(original, exclude), spot)


def _finite(micrograph: Micrograph) -> NDArray[Any]:
    pixels = micrograph.pixels
    if pixels.dtype.kind == "u" or np.isfinite(pixels).all():
        return pixels
    finite = np.isfinite(pixels)
    return np.where(finite, pixels, pixels[finite].mean() if finite.any() else 0)


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=BY_PIXELS)
def directions_png(result: Micrograph, original: Micrograph, full: bool = False) -> bytes:
    """Return directions as colours over the micrograph that they were found in."""
    shown = picture(original, full)
    rows, cols = (
        np.arange(now) * was // now for now, was in zip(shown.shape, result.shape, strict=True)
    )
    places = np.ix_(rows, cols)
    certainty = directions.agreement(result.pixels)[places]
    coloured = directions.color_directions(result.pixels[places], shown, certainty)
    return encode(coloured, original)


@st.cache_data(max_size="64MB", show_spinner="Drawing …", hash_funcs=BY_KEY)
def directions_picture(result: Micrograph, original: Micrograph) -> display.Picture:
    """Return directions as colours over the micrograph that they were found in, every pixel."""
    certainty = directions.agreement(result.pixels)
    return directions.color_directions(result.pixels, display.to_display(original), certainty)


@st.cache_data(max_entries=2, show_spinner=False)
def direction_wheel_png() -> bytes:
    """Return the legend of directions."""
    return directions.direction_wheel_png()


@st.cache_data(max_size="96MB", show_spinner=False, hash_funcs=BY_PIXELS)
def tiff_16(micrograph: Micrograph) -> bytes:
    """Return the micrograph as a TIFF of 16 bits."""
    return save_tiff_bytes(to_sixteen_bits(micrograph))
