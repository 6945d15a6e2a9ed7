"""What a viewer shows at the moment, as its browser reports it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.micrograph import Micrograph

MODES = ("plain", "divide", "one", "side", "blink")
_GAMMA = (0.05, 20.0)


@dataclass(frozen=True, slots=True)
class Window:
    """Grey levels shown as black and white, in native levels, and the gamma between them."""

    black: float
    white: float
    gamma: float


@dataclass(frozen=True, slots=True)
class LayerState:
    """Whether a layer is switched on, and its opacity, 0 to 1."""

    shown: bool
    opacity: float


@dataclass(frozen=True, slots=True)
class Seen:
    """Rows and columns in view, how the viewer compares, grey levels by side, layers by name."""

    rows: slice
    columns: slice
    mode: str = "plain"
    windows: Mapping[str, Window] = field(default_factory=dict)
    layers: Mapping[str, LayerState] = field(default_factory=dict)

    @property
    def compares(self) -> bool:
        """Whether there is a left and a right side."""
        return self.mode != "plain"


def read_seen(said: Any, micrograph: Micrograph) -> Seen | None:
    """Return what a browser reports of this micrograph; None for anything else."""
    if not isinstance(said, dict) or said.get("of") != micrograph.sha256:
        return None
    try:
        top, left, bottom, right = (_finite(value) for value in said["box"])
        height, width = micrograph.shape
        rows, columns = _span(top, bottom, height), _span(left, right, width)
        mode = said.get("mode")
        windows = {
            which: Window(
                _finite(each["black"]),
                _finite(each["white"]),
                min(max(_finite(each["gamma"]), _GAMMA[0]), _GAMMA[1]),
            )
            for which, each in said.get("windows", {}).items()
        }
        layers = {
            name: LayerState(bool(each["shown"]), min(max(_finite(each["opacity"]), 0.0), 1.0))
            for name, each in said.get("layers", {}).items()
        }
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    return Seen(rows, columns, mode if mode in MODES else "plain", windows, layers)


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _span(first: float, end: float, most: int) -> slice:
    """Return whole pixels from `first` to `end`: at least one, within the frame."""
    start = min(max(0, round(first)), most - 1)
    return slice(start, min(max(start + 1, round(end)), most))
