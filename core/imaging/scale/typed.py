"""Pixel sizes typed or pasted for many at once: names beside lengths, or lengths alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from core.errors import UserError
from core.micrograph import PixelSize, nanometres

_LONGEST = 100_000  # letters that are looked at
_LINE_LETTERS = 500
_WRITTEN = (
    r"(?P<value>[0-9]+(?:[.,][0-9]+)?(?:[eE][-+]?[0-9]+)?|[.,][0-9]+)\s*"
    r"(?P<unit>[^\W\d_]{0,9})(?:\s*/\s*(?:px|pixel))?"
)
_LENGTH = re.compile(_WRITTEN)
# The shortest name after which a length fills the line: names may hold numbers.
_NAMED = re.compile(rf"(?P<name>.+?)(?:\s*[,:=]\s*|\s+)(?P<rest>{_WRITTEN})")
_APART = " \t;:="
_PIXEL_NM = 1e-4, 1e6  # no microscope's pixel is outside


def parse_size(text: str) -> PixelSize | None:
    """Return a pixel size such as "2.5 nm", "0,5 µm/px" or "2.5" (nm); None when it is none."""
    match = _LENGTH.fullmatch(text.strip())
    return _size(match) if match else None


def parse_sizes(text: str, names: Sequence[str]) -> dict[int, PixelSize]:
    """Return the place of a name to its pixel size, from a table that was typed or pasted.

    Parameters
    ----------
    text : str
        A line each: a name and a length ("a.png<tab>2.5 nm"), or lengths alone, then as many as
        there are names and in their order. Lengths without a unit are in nm. A comma before digits
        is a decimal sign.
    names : sequence of str
        With or without folders and endings; each must fit one name.

    Raises
    ------
    UserError
        If a line is no length, or names nothing or several of the names; nothing is taken then.
    """
    lines = [line.strip()[:_LINE_LETTERS] for line in text[:_LONGEST].splitlines()]
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line]
    alone = [parse_size(line) for _, line in filled]
    sizes = [size for size in alone if size is not None]
    if filled and len(sizes) == len(filled):
        if len(sizes) != len(names):
            raise UserError(
                f"There are {len(sizes)} lengths for {len(names)} micrographs; give one for each, "
                "or a name before each length."
            )
        return dict(enumerate(sizes))
    found: dict[int, PixelSize] = {}
    for number, line in filled:
        if number == filled[0][0] and not re.search(r"[0-9]", line):
            continue  # the heads of a table
        name, size = _name_and_size(line, number)
        found[_place(name, names, number)] = size
    return found


def _name_and_size(line: str, number: int) -> tuple[str, PixelSize]:
    cells = [cell.strip() for cell in re.split(r"[\t;]", line) if cell.strip()]
    if len(cells) >= 2:  # a name, a value and perhaps its unit in cells of their own
        name, rest = cells[0], " ".join(cells[1:])
    else:
        match = _NAMED.fullmatch(line)
        name, rest = (match["name"], match["rest"]) if match else ("", line)
    size = parse_size(rest)
    if not name or size is None:
        raise UserError(f"Line {number} is no name with a length (such as “a.png 2.5 nm”): {line}")
    return name.strip(_APART + ","), size


def _place(name: str, names: Sequence[str], number: int) -> int:
    """Return which of the names is meant: equal, else without folders, else without ending."""
    ways = (str, _base, lambda given: PurePosixPath(_base(given)).stem)
    for way in ways:
        wanted = way(name).casefold()
        fitting = [place for place, given in enumerate(names) if way(given).casefold() == wanted]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise UserError(f"Line {number}: {len(fitting)} micrographs are called {name}.")
    raise UserError(f"Line {number}: no micrograph is called {name}.")


def _base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def _size(match: re.Match[str]) -> PixelSize | None:
    unit = match["unit"] or "nm"
    factor = nanometres(unit)
    value = float(match["value"].replace(",", "."))
    low, high = _PIXEL_NM
    if factor is None or not low <= value * factor <= high:
        return None
    return PixelSize(value * factor, "nm")
