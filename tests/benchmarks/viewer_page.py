"""A page with nothing but the viewer, for its benchmark: `?side=` px, `?outlines=` regions."""

import time

import cv2
import numpy as np
import streamlit as st

from core.micrograph import Micrograph, PixelSize
from core.ui.parts import viewer


@st.cache_resource
def micrograph(side: int) -> Micrograph:
    """Noise of a few pixels' grain in 16 bits."""
    noise = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 2)
    pixels = cv2.normalize(noise, None, 0, 65_535, cv2.NORM_MINMAX).astype(np.uint16)
    return Micrograph("noise.tif", pixels, PixelSize(1.0, "nm"), {"overlays": {"enabled": False}})


@st.cache_resource
def circles(side: int, count: int) -> viewer.Outlines:
    """Polygons of 30 corners all over the frame."""
    rng = np.random.default_rng(1)
    turn = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    unit = np.column_stack([np.sin(turn), np.cos(turn)])
    places, radii = rng.uniform(0, side, (count, 2)), rng.uniform(5, side / 150, count)
    rings = [(n, places[n] + radii[n] * unit) for n in range(count)]
    return viewer.Outlines("Circles", f"{side} {count}", rings)


st.set_page_config(layout="wide")
side, outlines = (int(st.query_params.get(name, 0)) for name in ("side", "outlines"))
if side and st.toggle("Show"):
    shown = micrograph(side)
    layers = [circles(side, outlines)] if outlines else []
    started = time.perf_counter()
    viewer.viewer(shown, key="viewer", layers=layers)
    st.text(f"server {1000 * (time.perf_counter() - started):.0f} ms")
else:
    micrograph(side or 64)
    st.text("waiting")
