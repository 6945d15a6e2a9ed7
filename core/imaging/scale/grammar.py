"""What the print in a picture states about lengths: the scale bar's, the field's, and neither."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from core.imaging.scale.text import Print

_NANOMETRES = {"Å": 0.1, "pm": 1e-3, "nm": 1.0, "µm": 1e3, "mm": 1e6}
# As printed or as misread: "urn" and "jm" are a recogniser's µm, "nn" and "rm" its nm.
_UNITS = {
    "nm": r"n\s?m|nn|nrn|nim|rm|rim|rnm|nm",
    "µm": r"[µu]\s?m|urn|µrn|µn|jm|ym|micrometers?|micrometres?|microns?",
    "mm": r"mm|rnrn",
    "pm": r"pm",
    "Å": r"å|angstroms?|ångströms?",
}
_SURE_UNITS = {"nm", "µm", "um", "mm", "å", "micron", "microns"}
_UNIT = "|".join(f"(?P<{name}>{way})" for name, way in zip("abcde", _UNITS.values(), strict=True))
_DIGITS = r"(?<![\w.,])(?P<digits>[0-9OoQDlI|][0-9OoQDlI|., ]{0,8}?)"
_LENGTH = re.compile(rf"{_DIGITS}\s*[_-]?\s*(?:{_UNIT})(?![\w²³2/])", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9OoQDlI|](?:[0-9OoQDlI|., ]{0,8}[0-9OoQDlI|])?")
_DISTANCE = re.compile(
    r"\b(wd|working|dist|stage|depth|height|spot|aperture|apt|tilt|z)\b|\bz ?=", re.IGNORECASE
)
_FIELD = re.compile(r"\b(hfw|vfw|hfov|vfov|fov|field|width|fw)\b|水平幅", re.IGNORECASE)
_VERTICAL = re.compile(r"\b(vfw|vfov|vertical)\b", re.IGNORECASE)
_BEAM = re.compile(r"\d\s*k[vy]\b", re.IGNORECASE)
_RANGE_NM = 0.05, 2e8  # no scale bar states less than half an ångström or more than 20 cm
_PLAUSIBLE_PM = 1000.0
_APART = 1.6  # heights of print between a number and its unit
_CUT_PX = 1.5


class Meaning(Enum):
    """What a stated length belongs to."""

    BAR = "scale bar"
    FIELD = "width of the field"
    OTHER = "something else"


@dataclass(frozen=True, slots=True)
class StatedLength:
    """A length that a picture states.

    Attributes
    ----------
    value : float
    unit : str
        "nm", "µm", "mm" or "Å".
    meaning : Meaning
    place : Print
        Where it stands, with the text as it was read.
    is_sure : bool
        False where a character had to be guessed, the print was faint, or the frame cuts it.
    """

    value: float
    unit: str
    meaning: Meaning
    place: Print
    is_sure: bool

    @property
    def nanometres(self) -> float:
        """The length in nm."""
        return self.value * _NANOMETRES[self.unit]


def stated_lengths(prints: Sequence[Print]) -> list[StatedLength]:
    """Return the lengths that pieces of print state, nearest the lower edge first.

    Parameters
    ----------
    prints : sequence of Print
        As `read_print` returns them, in any order.

    Returns
    -------
    list of StatedLength
        Of every meaning: working distances come as `Meaning.OTHER`. Numbers without a known unit
        of length, and lengths that no scale can have, are left out.
    """
    pieces = _with_units(list(prints))
    found = [length for piece in pieces for length in _in_piece(piece, prints)]
    return sorted(found, key=lambda length: -length.place.bottom)


def bar_lengths(prints: Sequence[Print]) -> list[StatedLength]:
    """Return what may stand beside a scale bar: at most two digits that count, as bars have."""
    stated = [length for length in stated_lengths(prints) if length.meaning is Meaning.BAR]
    return [length for length in stated if _is_round(length.value)]


def field_width(prints: Sequence[Print]) -> StatedLength | None:
    """Return the width of the field (HFW) that an info bar states; None without one."""
    stated = [length for length in stated_lengths(prints) if length.meaning is Meaning.FIELD]
    return stated[0] if len({length.nanometres for length in stated}) == 1 else None


def plain(text: str) -> str:
    """Return text with one sign for each: one µ, one Å, one space, full stops for points."""
    text = unicodedata.normalize("NFKC", text).replace("μ", "µ").replace("Å", "Å")
    text = text.replace("×", "x").replace("—", "-").replace("–", "-").replace("一", "-")
    return re.sub(r"[°\s]+", " ", re.sub(r"(?<=m)[°'´`.]", " ", text)).strip()


def read_number(digits: str) -> tuple[float, bool] | None:
    """Return a number as a scale has it, and whether no character of it was guessed.

    None for what is none: two points, a leading zero without a point ("05"), nothing but zeros.
    """
    compact = digits.replace(" ", "").rstrip(".,")
    mended = compact.translate(str.maketrans("OoQDlI|", "0000111"))
    if re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+", mended):
        mended = mended.replace(",", "")
    mended = mended.replace(",", ".")
    if not re.fullmatch(r"(0|[1-9]\d{0,5})(\.\d{1,4})?", mended):
        return None
    value = float(mended)
    return (value, mended == compact.replace(",", ".")) if value > 0 else None


def _is_round(value: float) -> bool:
    """Tell whether a scale bar would state it: 1, 2.5, 40, 300, but not 19.9 nor 11.

    Two digits that count at most, the second of them 0 or 5 (12 is left to a person: a tick
    beside "2" reads the same).
    """
    digits = f"{value:.6e}".split("e")[0].rstrip("0")
    return len(digits) <= 3 and digits[2:] in ("", "5")


def _with_units(prints: list[Print]) -> list[Print]:
    """Join a number with the unit that stands apart, right of it on the same line."""
    units = re.compile(rf"(?:{_UNIT})", re.IGNORECASE)
    joined, used = [], set()
    for i, unit in enumerate(prints):
        if not units.fullmatch(plain(unit.text)):
            continue
        numbers = [
            (unit.left - n.right, j)
            for j, n in enumerate(prints)
            if j != i and _NUMBER.fullmatch(plain(n.text)) and _follows(n, unit)
        ]
        if numbers:
            j = min(numbers)[1]
            joined.append(_joined(prints[j], unit))
            used |= {i, j}
    return joined + [piece for i, piece in enumerate(prints) if i not in used]


def _follows(number: Print, unit: Print) -> bool:
    high = max(number.height, unit.height)
    level = min(number.bottom, unit.bottom) - max(number.top, unit.top)
    return level >= 0.4 * min(number.height, unit.height) and (
        -0.6 * high <= unit.left - number.right <= _APART * high
    )


def _joined(first: Print, second: Print) -> Print:
    return Print(
        f"{first.text} {second.text}",
        min(first.score, second.score),
        min(first.left, second.left),
        min(first.top, second.top),
        max(first.right, second.right),
        max(first.bottom, second.bottom),
    )


def _in_piece(piece: Print, prints: Sequence[Print]) -> list[StatedLength]:
    text = plain(piece.text)
    found = []
    for match in _LENGTH.finditer(text):
        number = read_number(match["digits"])
        if number is None:
            continue
        names = zip("abcde", _UNITS, strict=True)
        unit, read = next((u, match[name]) for name, u in names if match[name] is not None)
        place = _part(piece, text, match)
        length = _judged(number, unit, read, place)
        if length is not None:
            found.append(replace(length, meaning=_meaning(text, match, length, prints)))
    return found


def _part(piece: Print, text: str, match: re.Match[str]) -> Print:
    """Return where in its line a match stands, all characters being equally wide."""
    wide = (piece.right - piece.left) / max(1, len(text))
    left, right = piece.left + wide * match.start(), piece.left + wide * match.end()
    return replace(piece, text=match[0], left=left, right=right)


def _judged(number: tuple[float, bool], unit: str, read: str, place: Print) -> StatedLength | None:
    """Return the length unless no scale can have it."""
    value, is_sure = number
    if unit == "pm" and value * 1e-3 < _RANGE_NM[0]:
        unit = "µm"  # a µ misread: no bar of a few picometres was ever drawn
    elif unit == "pm":
        unit, is_sure = ("µm", False) if value <= _PLAUSIBLE_PM else (unit, False)
    is_sure &= read.lower().replace(" ", "") in _SURE_UNITS
    is_sure &= place.score >= 0.75 and place.left > _CUT_PX
    length = StatedLength(value, unit, Meaning.BAR, place, is_sure)
    low, high = _RANGE_NM
    return length if low <= length.nanometres <= high else None


def _meaning(
    text: str, match: re.Match[str], length: StatedLength, prints: Sequence[Print]
) -> Meaning:
    """Tell what a length belongs to, by what stands before it, else by the head of its column."""
    before = _LENGTH.sub(" ", text[: match.start()])
    for label in (before[-24:], _left_of(length.place, prints), _above(length.place, prints)):
        if _VERTICAL.search(label):
            return Meaning.OTHER
        if _FIELD.search(label):
            return Meaning.FIELD
        if _DISTANCE.search(label):
            return Meaning.OTHER
    if length.unit == "mm" and _beside_beam(length.place, text, prints):
        return Meaning.OTHER
    return Meaning.BAR


def _beside_beam(place: Print, text: str, prints: Sequence[Print]) -> bool:
    """Tell whether a voltage stands on the same line: millimetres there are a working distance."""
    line = [p.text for p in prints if min(p.bottom, place.bottom) - max(p.top, place.top) > 0]
    return any(_BEAM.search(plain(other)) for other in (text, *line)) or _named_wd(prints)


def _named_wd(prints: Sequence[Print]) -> bool:
    return any(re.search(r"\bWD\b", plain(p.text)) for p in prints)


def _left_of(place: Print, prints: Sequence[Print]) -> str:
    """Return the label that stands close to the left on the same line."""
    near = [
        (place.left - p.right, plain(p.text))
        for p in prints
        if -0.3 * place.height <= place.left - p.right <= 1.5 * place.height
        and min(p.bottom, place.bottom) - max(p.top, place.top) >= 0.5 * place.height
    ]
    label = min(near)[1] if near else ""
    return "" if re.search(r"\d", label) else label


def _above(place: Print, prints: Sequence[Print]) -> str:
    """Return the head of a table's column: right above, and without digits."""
    near = [
        (place.top - p.bottom, plain(p.text))
        for p in prints
        if -0.5 * p.height <= place.top - p.bottom <= 1.0 * place.height
        and min(p.right, place.right) - max(p.left, place.left) > 0
    ]
    label = min(near)[1] if near else ""
    return "" if re.search(r"\d", label) else label


def lonely_units(prints: Sequence[Print]) -> list[Print]:
    """Return units of length beside which no number was read."""
    units = re.compile(rf"(?:{_UNIT})", re.IGNORECASE)
    return [piece for piece in _with_units(list(prints)) if units.fullmatch(plain(piece.text))]
