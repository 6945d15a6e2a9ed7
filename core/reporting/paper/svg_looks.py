"""Colours, lengths, moves and letters of an SVG element, as its parents hand them down."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_MOVE = re.compile(r"(translate|rotate|scale|matrix)\s*\(([^)]*)\)")
_NAMES = {"black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128)}
_FARTHEST = 1e6  # px; beyond it is no chart, and a PDF cannot say it
Matrix = tuple[float, float, float, float, float, float]
Colour = tuple[float, float, float, float]  # red, green, blue and opacity, 0 to 1


@dataclass(frozen=True, slots=True)
class Look:
    """How an element is drawn: what it states, else what its parents do."""

    fill: str = "#000"
    fill_opacity: float = 1.0
    stroke: str = "none"
    stroke_opacity: float = 1.0
    stroke_width: float = 1.0
    dashes: tuple[float, ...] = ()
    opacity: float = 1.0
    font_size: float = 12.0
    bold: bool = False
    anchor: str = "start"
    hidden: bool = False
    rule: str = "nonzero"

    def of(self, said: Mapping[str, str]) -> Look:
        """Return the look of a child that states `said`."""
        size = said.get("font-size", "")
        own = number(size, self.font_size)
        if size.endswith("%"):
            own = self.font_size * own / 100
        elif size.endswith("em"):
            own = self.font_size * own
        weight = said.get("font-weight", "")
        return replace(
            self,
            fill=said.get("fill", self.fill),
            fill_opacity=number(said.get("fill-opacity"), self.fill_opacity),
            stroke=said.get("stroke", self.stroke),
            stroke_opacity=number(said.get("stroke-opacity"), self.stroke_opacity),
            stroke_width=number(said.get("stroke-width"), self.stroke_width),
            dashes=_dashes(said["stroke-dasharray"]) if "stroke-dasharray" in said else self.dashes,
            opacity=self.opacity * number(said.get("opacity"), 1.0),
            font_size=own,
            bold=weight in ("bold", "600", "700") if weight else self.bold,
            anchor=said.get("text-anchor", self.anchor),
            hidden=self.hidden
            or said.get("display") == "none"
            or said.get("visibility") in ("hidden", "collapse"),
            rule=said.get("fill-rule", self.rule),
        )


def stated(element: Element) -> dict[str, str]:
    """Return attributes and inline style of an element; the style has the last word."""
    said = {key.rsplit("}", 1)[-1]: value for key, value in element.attrib.items()}
    for part in said.pop("style", "").split(";"):
        key, _, value = part.partition(":")
        if value:
            said[key.strip()] = value.replace("!important", "").strip().strip("\"'")
    return said


def number(text: str | None, otherwise: float) -> float:
    """Return the number that a text begins with."""
    found = _NUMBER.match(text.strip()) if text else None
    return near(float(found.group())) if found else otherwise


def numbers(text: str) -> list[float]:
    """Return all numbers in a text."""
    return [near(float(each)) for each in _NUMBER.findall(text)]


def near(value: float) -> float:
    """Return a number that a PDF can say."""
    return min(max(value, -_FARTHEST), _FARTHEST)


def _dashes(text: str) -> tuple[float, ...]:
    return tuple(abs(each) for each in numbers(text)) if text != "none" else ()


def colour(text: str, opacity: float = 1.0) -> Colour | None:
    """Return a colour as SVG writes it; None for none and for what is unknown."""
    text, opacity = text.strip().lower(), min(max(opacity, 0.0), 1.0)
    if text.startswith("#") and len(text) in (4, 7):
        digits = text[1:] if len(text) == 7 else "".join(2 * each for each in text[1:])
        try:
            red, green, blue = bytes.fromhex(digits)
        except ValueError:
            return None
        return red / 255, green / 255, blue / 255, opacity
    if text.startswith("rgb"):
        parts = numbers(text)
        if len(parts) < 3:
            return None
        shares = [min(max(part / 255, 0.0), 1.0) for part in parts[:3]]
        clear = min(max(parts[3], 0.0), 1.0) if len(parts) > 3 else 1.0
        return shares[0], shares[1], shares[2], clear * opacity
    if text in _NAMES:
        red, green, blue = _NAMES[text]
        return red / 255, green / 255, blue / 255, opacity
    return None


def reference(text: str) -> str:
    """Return the id in "url(#id)"; "" where there is none."""
    found = re.search(r"url\(\s*[\"']?[^#)]*#([^)\"']+)", text)
    return found.group(1) if found else ""


def moves(text: str) -> list[Matrix]:
    """Return the matrices of a `transform`, the outermost first."""
    found: list[Matrix] = []
    for name, inside in _MOVE.findall(text):
        values = numbers(inside)
        if name == "translate" and values:
            found.append((1, 0, 0, 1, values[0], values[1] if len(values) > 1 else 0))
        elif name == "scale" and values:
            found.append((values[0], 0, 0, values[1] if len(values) > 1 else values[0], 0, 0))
        elif name == "rotate" and values:
            turn = math.radians(values[0])
            cos, sin = math.cos(turn), math.sin(turn)
            x, y = (values[1], values[2]) if len(values) > 2 else (0.0, 0.0)
            found.append((cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y))
        elif name == "matrix" and len(values) == 6:
            a, b, c, d, e, f = values
            found.append((a, b, c, d, e, f))
    return found
