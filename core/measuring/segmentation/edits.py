"""What a hand changes in a label image, as small vector edits: kept, undone, written as JSON.

An edit names no number of an object but a place in it, so that it can be made again in other
labels of the same picture. Places are (row, column) in px, pixel centres being whole numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import UserError

Point = tuple[float, float]
MOST_EDITS = 5_000
MOST_JSON = 8_000_000  # characters
_MOST_POINTS = 2_000  # of one line: a lasso across a large frame has fewer once simplified
_MOST_PX = 1e6
_MOST_VALUE = 1e12
LIMITS = ("area_px", "equivalent_diameter_px", "circularity", "aspect_ratio", "solidity")
_KIND, _VERSION = "micrographia-edits", 1


@dataclass(frozen=True, slots=True)
class Kind:
    """What an edit of a kind has: how many places in objects, how many corners, which amount."""

    places: tuple[int, int]
    corners: tuple[int, int]
    amount: tuple[float, float] = (0.0, 0.0)
    verb: str = ""


KINDS: dict[str, Kind] = {
    "delete": Kind((1, 1), (0, 0), verb="delete"),
    "merge": Kind((2, 50), (0, 0), verb="merge"),
    "cut": Kind((0, 0), (2, _MOST_POINTS), verb="cut"),
    "redraw": Kind((1, 1), (3, _MOST_POINTS), verb="redraw"),
    "add": Kind((0, 0), (3, _MOST_POINTS), verb="add"),
    "grow": Kind((0, 0), (1, 1), (2.0, _MOST_PX), "grow"),
    "fill": Kind((0, 1), (0, 0), verb="fill"),
    "smooth": Kind((0, 1), (0, 0), (0.5, 50.0), "smooth"),
    "drop_border": Kind((0, 0), (0, 0), verb="drop at the border"),
    "keep": Kind((0, 0), (0, 0), verb="filter"),
}


@dataclass(frozen=True, slots=True)
class Edit:
    """One change.

    Parameters
    ----------
    kind : str
        One of `KINDS`. "delete", "merge", "redraw": the objects at `places`. "cut": all that the
        line crosses. "add": what is within the corners and free. "grow": from a corner to the
        nearest edge, at most `amount` px far. "fill" and "smooth" (by `amount` px): the object
        at the place, or all without one. "drop_border": what is cut. "keep": only what lies within
        `limits`.
    places, corners : tuple of (row, column)
    amount : float
    limits : tuple of (str, low, high)
        Measure of `LIMITS`, in px, and its ends; None is open.
    area_px : tuple of float
        Of the object at each place when the edit was made: labels whose object there is another
        one are not changed. Empty where it is not known.

    Raises
    ------
    ValueError
        If the kind is unknown or a part does not fit it.
    """

    kind: str
    places: tuple[Point, ...] = ()
    corners: tuple[Point, ...] = ()
    amount: float = 0.0
    limits: tuple[tuple[str, float | None, float | None], ...] = ()
    area_px: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        kind = KINDS.get(self.kind)
        if kind is None:
            raise ValueError(f"an edit must be one of {', '.join(KINDS)}, got {self.kind!r}")
        for name, span in (("places", kind.places), ("corners", kind.corners)):
            found = len(getattr(self, name))
            if not span[0] <= found <= span[1]:
                raise ValueError(f"{self.kind} has {span[0]} to {span[1]} {name}, got {found}")
        every = [value for point in (*self.places, *self.corners) for value in point]
        if not all(math.isfinite(value) and abs(value) < _MOST_PX for value in every):
            raise ValueError("places must be finite and on a frame")
        if not kind.amount[0] <= self.amount <= kind.amount[1]:
            raise ValueError(f"amount must be from {kind.amount[0]:g} to {kind.amount[1]:g}")
        if self.area_px and len(self.area_px) != len(self.places):
            raise ValueError("there is an area for every place, or for none")
        if not all(0 < area < _MOST_VALUE for area in self.area_px):
            raise ValueError("areas must be finite and positive")
        self._check_limits()

    def _check_limits(self) -> None:
        if bool(self.limits) != (self.kind == "keep"):
            raise ValueError("limits belong to keep, and keep needs some")
        if len({name for name, _, _ in self.limits}) < len(self.limits):
            raise ValueError("a measure may be limited once")
        for name, low, high in self.limits:
            if name not in LIMITS:
                raise ValueError(f"limits must be of {', '.join(LIMITS)}, got {name!r}")
            ends = [end for end in (low, high) if end is not None]
            if not all(math.isfinite(end) and abs(end) < _MOST_VALUE for end in ends):
                raise ValueError("limits must be finite")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; what is empty is left out."""
        said: dict[str, Any] = {"kind": self.kind}
        for name in ("places", "corners", "limits"):
            if getattr(self, name):
                said[name] = [list(each) for each in getattr(self, name)]
        if self.amount:
            said["amount"] = self.amount
        if self.area_px:
            said["area_px"] = list(self.area_px)
        return said


@dataclass(frozen=True, slots=True)
class History:
    """Edits that hold, and those that were undone and can be done again."""

    done: tuple[Edit, ...] = ()
    undone: tuple[Edit, ...] = ()

    def add(self, edit: Edit) -> History:
        """Return the history with one more edit; what was undone is given up.

        Raises
        ------
        UserError
            If there are too many.
        """
        if len(self.done) >= MOST_EDITS:
            raise UserError(
                f"There are {MOST_EDITS} edits by hand. Save the labels as a file, open that under "
                "“File”, and go on from there."
            )
        return History((*self.done, edit))

    def undo(self) -> History:
        """Return the history without its last edit."""
        return History(self.done[:-1], (*self.undone, *self.done[-1:]))

    def redo(self) -> History:
        """Return the history with the edit that was undone last."""
        return History((*self.done, *self.undone[-1:]), self.undone[:-1])


def edits_json(edits: Sequence[Edit], origin: Mapping[str, Any] | None = None) -> str:
    """Return edits as JSON, with what they were made on."""
    whole = {
        "kind": _KIND,
        "version": _VERSION,
        "origin": dict(origin or {}),
        "edits": [edit.to_dict() for edit in edits],
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def read_edits(text: str) -> tuple[Edit, ...]:
    """Return the edits of `edits_json`; the text may be a stranger's.

    Raises
    ------
    UserError
        If it is too long, no such JSON, or holds an edit that cannot be.
    """
    if len(text) > MOST_JSON:
        raise UserError(f"The edits have more than {MOST_JSON} characters. Save fewer of them.")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError("The edits are no JSON. Choose a file that this page has saved.") from error
    if not isinstance(said, dict) or said.get("kind") != _KIND or said.get("version") != _VERSION:
        raise UserError(
            "The file holds no edits of this program. Choose an edits.json that “Segment” saved."
        )
    return parse_edits(said.get("edits"))


def parse_edits(said: object) -> tuple[Edit, ...]:
    """Return the edits of a list of plain values.

    Raises
    ------
    UserError
        If one cannot be: nothing is left out silently.
    """
    if not isinstance(said, list | tuple):
        raise UserError("The edits are no list. Choose an edits.json that this page has saved.")
    if len(said) > MOST_EDITS:
        raise UserError(f"There are {len(said)} edits; at most {MOST_EDITS} can be opened.")
    found = []
    for place, each in enumerate(said, 1):
        try:
            found.append(_read(each))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            reason = str(error) if isinstance(error, ValueError) else "it has an unknown form"
            raise UserError(
                f"Edit {place} cannot be made: {reason[:160]}. Save the edits again."
            ) from error
    return tuple(found)


def _read(said: object) -> Edit:
    if not isinstance(said, Mapping):
        raise ValueError("it is no object")
    unknown = set(said) - {"kind", "places", "corners", "amount", "limits", "area_px"}
    if unknown:
        raise ValueError("it has unknown parts")
    return Edit(
        kind=_text(said["kind"]),
        places=_points(said.get("places", ())),
        corners=_points(said.get("corners", ())),
        amount=_number(said.get("amount", 0.0)),
        limits=tuple(
            (_text(name), _open(low), _open(high)) for name, low, high in said.get("limits", ())
        ),
        area_px=tuple(_number(area) for area in _few(said.get("area_px", ()))),
    )


def _points(said: object) -> tuple[Point, ...]:
    return tuple((_number(row), _number(column)) for row, column in _few(said))


def _few(said: object) -> Iterable[Any]:
    if not isinstance(said, list | tuple) or len(said) > _MOST_POINTS:
        raise ValueError(f"lists have at most {_MOST_POINTS} entries")
    return said


def _number(said: object) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise ValueError("numbers must be numbers")
    return float(said)


def _open(said: object) -> float | None:
    return None if said is None else _number(said)


def _text(said: object) -> str:
    if not isinstance(said, str):
        raise ValueError("a kind and a measure are text")
    return said
