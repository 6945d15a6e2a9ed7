"""Path data of SVG as straight and curved pieces, in absolute coordinates."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from core.reporting.paper.svg_looks import near

_TOKEN = re.compile(r"([MLHVCSQTAZmlhvcsqtaz])|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
_QUARTER = math.pi / 2

Piece = tuple[str, tuple[float, ...]]  # ("M", x, y), ("L", x, y), ("C", six numbers), ("Z",)


def pieces(data: str) -> Iterator[Piece]:
    """Yield what a path is made of, as M, L, C and Z; what is no path data ends it.

    Quadratic curves are raised to cubic ones; arcs of ellipses become cubic curves of at most a
    quarter turn, which differ by less than 0.03 % of the radius (SVG 1.1, appendix F.6).
    """
    x = y = start_x = start_y = 0.0
    handle: tuple[float, float] | None = None
    for name, given in _commands(data):
        is_own, big = name.islower(), name.upper()
        base_x, base_y = (x, y) if is_own else (0.0, 0.0)
        before, handle = handle, None
        if big == "Z":
            yield "Z", ()
            x, y = start_x, start_y
        elif big in "ML":
            x, y = base_x + given[0], base_y + given[1]
            if big == "M":
                start_x, start_y = x, y
            yield big, (x, y)
        elif big in "HV":
            x, y = (base_x + given[0], y) if big == "H" else (x, base_y + given[0])
            yield "L", (x, y)
        elif big == "A":
            end = base_x + given[5], base_y + given[6]
            yield from _arc((x, y), end, *given[:5])
            x, y = end
        else:
            corners = [
                (base_x + given[at], base_y + given[at + 1]) for at in range(0, len(given), 2)
            ]
            if big in "ST":  # the first handle mirrors the last one
                mirrored = (2 * x - before[0], 2 * y - before[1]) if before else (x, y)
                corners.insert(0, mirrored)
            handle = corners[-2]
            if big in "QT":
                corners = _raised((x, y), corners[0], corners[1])
            x, y = corners[-1]
            yield "C", tuple(value for corner in corners for value in corner)


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    """Yield each command with as many numbers as it takes."""
    name, numbers = "", list[float]()
    for letter, number in _TOKEN.findall(data):
        if letter:
            name, numbers = letter, []
            if letter in "zZ":
                yield letter, []
            continue
        if not name or name in "zZ":
            return
        numbers.append(near(float(number)))
        if len(numbers) == _TAKES[name.upper()]:
            yield name, numbers
            numbers = []
            name = {"M": "L", "m": "l"}.get(name, name)


def _raised(
    start: tuple[float, float], control: tuple[float, float], end: tuple[float, float]
) -> list[tuple[float, float]]:
    def between(place: tuple[float, float]) -> tuple[float, float]:
        return place[0] + 2 / 3 * (control[0] - place[0]), place[1] + 2 / 3 * (
            control[1] - place[1]
        )

    return [between(start), between(end), end]


def _arc(
    start: tuple[float, float],
    end: tuple[float, float],
    radius_x: float,
    radius_y: float,
    turned: float,
    large: float,
    sweep: float,
) -> Iterator[Piece]:
    """Yield an arc of an ellipse as cubic curves."""
    radius_x, radius_y = abs(radius_x), abs(radius_y)
    if start == end:
        return
    if not radius_x or not radius_y:
        yield "L", end
        return
    cos, sin = math.cos(math.radians(turned)), math.sin(math.radians(turned))
    half_x, half_y = (start[0] - end[0]) / 2, (start[1] - end[1]) / 2
    own_x, own_y = cos * half_x + sin * half_y, cos * half_y - sin * half_x
    reach = (own_x / radius_x) ** 2 + (own_y / radius_y) ** 2
    if reach > 1:
        radius_x, radius_y = radius_x * math.sqrt(reach), radius_y * math.sqrt(reach)
    below = (radius_x * own_y) ** 2 + (radius_y * own_x) ** 2
    share = math.sqrt(max(0.0, (radius_x * radius_y) ** 2 / below - 1)) if below else 0.0
    share *= -1 if bool(large) == bool(sweep) else 1
    mid_x, mid_y = share * radius_x * own_y / radius_y, -share * radius_y * own_x / radius_x
    centre = (
        cos * mid_x - sin * mid_y + (start[0] + end[0]) / 2,
        sin * mid_x + cos * mid_y + (start[1] + end[1]) / 2,
    )
    first = math.atan2((own_y - mid_y) / radius_y, (own_x - mid_x) / radius_x)
    last = math.atan2((-own_y - mid_y) / radius_y, (-own_x - mid_x) / radius_x)
    span = (last - first) % (2 * math.pi) if sweep else -((first - last) % (2 * math.pi))
    count = max(1, math.ceil(abs(span) / _QUARTER - 1e-9))
    step = span / count
    pull = 4 / 3 * math.tan(step / 4)

    def on_page(across: float, down: float) -> tuple[float, float]:
        across, down = across * radius_x, down * radius_y
        return centre[0] + cos * across - sin * down, centre[1] + sin * across + cos * down

    for at in range(count):
        one, two = first + at * step, first + (at + 1) * step
        from_one = on_page(
            math.cos(one) - pull * math.sin(one), math.sin(one) + pull * math.cos(one)
        )
        to_two = on_page(math.cos(two) + pull * math.sin(two), math.sin(two) - pull * math.cos(two))
        yield "C", (*from_one, *to_two, *on_page(math.cos(two), math.sin(two)))
