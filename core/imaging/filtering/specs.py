"""What a filter says of itself: its settings with unit and range, and how they are checked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.micrograph import PixelSize

SAME, FLOAT, MASK, CLASSES = "same depth", "32-bit float", "8-bit mask", "8-bit classes"

NUMBERS = ("int", "odd", "float")
MAX_SPOTS = 64
_WANTED = {"int": "a whole number", "odd": "an odd whole number", "float": "a number"}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_POWERS = {"px": 1, "px²": 2, "1/px": -1}  # of the pixel size with which a setting grows
_NYQUIST = 0.5  # cycles per px


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a filter: what it is called, and which values it takes.

    `kind` is "int", "odd" (an odd int), "float", "choice", "image" or "spots". Numbers lie in
    low..high, both included; a choice is one of `choices`; an image is the digest (SHA-256) of
    another micrograph, or empty; spots are pairs of frequencies (down, right) in cycles per px.

    A number in px, px² or 1/px may be given in nm, nm² or 1/nm instead: under the name that ends in
    "_nm", "_nm2" or "_per_nm". Above `slow_above` it makes its filter slow.
    """

    name: str
    title: str
    kind: str
    default: Any
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    choices: tuple[Any, ...] = ()
    help: str = ""
    slow_above: float = math.inf

    @property
    def is_length(self) -> bool:
        """Whether it may be given in nanometres (or their square, or per nanometre)."""
        return self.kind in NUMBERS and self.unit in _POWERS and self.name.endswith("_px")

    @property
    def power(self) -> int:
        """With which power of the pixel size it grows: 1 lengths, 2 areas, -1 frequencies."""
        return _POWERS.get(self.unit, 0)

    @property
    def unit_nm(self) -> str:
        """Unit of the same quantity in nanometres."""
        return {1: "nm", 2: "nm²", -1: "1/nm"}[self.power]

    @property
    def name_nm(self) -> str:
        """Name of the same quantity in nanometres."""
        return self.name.removesuffix("_px") + ("_nm2" if self.power == 2 else "_nm")

    def check(self, value: Any) -> Any:
        """Return the value in its own type, or raise a UserError that says what is wanted."""
        if self.kind == "choice":
            if any(type(value) is type(choice) and value == choice for choice in self.choices):
                return value
            raise self._refusal("one of " + ", ".join(map(str, self.choices)), value)
        if self.kind == "image":
            if isinstance(value, str) and (not value or _DIGEST.fullmatch(value)):
                return value
            raise self._refusal("the SHA-256 of another micrograph (64 digits)", value)
        if self.kind == "spots":
            return self._checked_spots(value)
        return self._checked_number(value)

    def check_nm(self, value: Any) -> float:
        """Return a length in nanometres, or raise a UserError."""
        if not _is_number(value) or not 0 <= value <= 1e9:
            unit = "nanometres" if self.power == 1 else self.unit_nm
            wanted = f"a number of {unit} from 0 to 1000000000"
            raise self._refusal(wanted, value, self.name_nm)
        return float(value)

    def in_pixels(self, length_nm: float, pixel_size: PixelSize | None) -> Any:
        """Return a length in px (area in px², frequency in 1/px), rounded to what it takes.

        Raises
        ------
        UserError
            If the pixel size is unknown, or the length lies outside the setting's range.
        """
        if pixel_size is None:
            raise UserError(
                f"The setting {self.name_nm} is in {self.unit_nm}, and this micrograph has no "
                "pixel size. "
                f"Give it one in the sidebar, or set {self.name} instead."
            )
        length_px = length_nm / pixel_size.to("nm") ** self.power
        if self.kind != "float":
            length_px = 2 * round((length_px - 1) / 2) + 1 if self.kind == "odd" else length_px
            length_px = round(length_px)
        if not self.low <= length_px <= self.high:
            raise UserError(
                f"The setting {self.name_nm} of {length_nm:g} {self.unit_nm} is {length_px:.4g} "
                f"{self.unit} at {pixel_size}; it must be {self.low:g} to {self.high:g} "
                f"{self.unit}. Change it."
            )
        return length_px

    def _checked_number(self, value: Any) -> float | int:
        span = f"{_WANTED[self.kind]} from {self.low:g} to {self.high:g}"
        fits = _is_number(value) if self.kind == "float" else _is_whole(value)
        # Comparing before converting refuses NaN and integers too long for a float.
        if not fits or not self.low <= value <= self.high:
            raise self._refusal(span, value)
        if self.kind == "odd" and value % 2 == 0:
            raise self._refusal(span, value)
        return float(value) if self.kind == "float" else int(value)

    def _checked_spots(self, value: Any) -> tuple[tuple[float, float], ...]:
        wanted = f"at most {MAX_SPOTS} pairs of frequencies (down, right) from -0.5 to 0.5 per px"
        if not isinstance(value, list | tuple) or len(value) > MAX_SPOTS:
            raise self._refusal(wanted, value)
        for spot in value:
            if not isinstance(spot, list | tuple) or len(spot) != 2:
                raise self._refusal(wanted, value)
            if not all(_is_number(part) and abs(part) <= _NYQUIST for part in spot):
                raise self._refusal(wanted, value)
        return tuple((float(down), float(right)) for down, right in value)

    def _refusal(self, wanted: str, value: Any, name: str = "") -> UserError:
        shown = _brief(value)
        return UserError(
            f"The setting {name or self.name} must be {wanted}, but it is {shown}. Change it."
        )


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """One filter: its names for code and for people, its settings, and its function.

    `function(pixels, exclude, **settings)` returns new pixels. `result` says what depth comes
    out; `uses_exclude` whether it leaves excluded pixels out; `paints_over` whether it sees the
    nearest counted ones in their place, so that an info bar does not reach into the specimen;
    `is_slow` that a megapixel takes longer than a moment; `direction` that its result is an
    angle in degrees; `reciprocal` that its axes are frequencies, so that the result has no
    pixel size. With `levels` (grey levels at which it cuts, from the same arguments), the
    function gets them as `levels`. `picks` returns, from the same arguments, the settings that
    the picture decides; "picked" among the result's metadata says them.
    """

    name: str
    title: str
    family: str
    function: Callable[..., NDArray[Any]]
    parameters: tuple[Parameter, ...] = ()
    help: str = ""
    reference: str = ""
    result: str = SAME
    uses_exclude: bool = False
    paints_over: bool = False
    is_slow: bool = False
    direction: bool = False
    reciprocal: bool = False
    levels: Callable[..., tuple[float, ...]] | None = None
    picks: Callable[..., dict[str, Any]] | None = None

    def complete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return checked settings in the filter's order, with defaults for those not given."""
        known = {name for p in self.parameters for name in _names(p)}
        for name in parameters:
            if name not in known:
                _refuse_old_area(self, name)
                takes = ", ".join(" or ".join(_names(p)) for p in self.parameters) or "no settings"
                raise UserError(
                    f"The filter {self.name} has no setting called {str(name)[:40]!r}; "
                    f"it takes {takes}. Remove or rename it."
                )
        return dict(self._settle(p, parameters) for p in self.parameters)

    def resolve(
        self, parameters: Mapping[str, Any], pixel_size: PixelSize | None
    ) -> dict[str, Any]:
        """Return the settings with every length in px; a UserError where that cannot be."""
        resolved = {}
        for p in self.parameters:
            in_nm = p.is_length and p.name_nm in parameters
            value = p.in_pixels(parameters[p.name_nm], pixel_size) if in_nm else parameters[p.name]
            resolved[p.name] = value
        return resolved

    def _settle(self, parameter: Parameter, given: Mapping[str, Any]) -> tuple[str, Any]:
        if parameter.is_length and parameter.name_nm in given:
            if parameter.name in given:
                raise UserError(
                    f"The filter {self.name} has both {parameter.name} and {parameter.name_nm}. "
                    "Keep one of them."
                )
            return parameter.name_nm, parameter.check_nm(given[parameter.name_nm])
        return parameter.name, parameter.check(given.get(parameter.name, parameter.default))


def _names(parameter: Parameter) -> tuple[str, ...]:
    return (parameter.name, parameter.name_nm) if parameter.is_length else (parameter.name,)


def _refuse_old_area(spec: FilterSpec, name: Any) -> None:
    """Refuse an area under its old name, which was read as a length: what was meant is unknown."""
    wanted = next((p.name_nm for p in spec.parameters if p.is_length and p.power == 2), None)
    if wanted is not None and name == wanted.removesuffix("2"):
        raise UserError(
            f"The setting {name} of the filter {spec.name} comes from an older version, which "
            f"turned this area wrongly into pixels. Write {wanted} with the area in nm² instead."
        )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, float | np.floating)


def _brief(value: Any) -> str:
    try:
        shown = repr(value)
    except (ValueError, RecursionError):  # an integer with more digits than Python prints
        return "far too large"
    return shown if len(shown) <= 40 else shown[:40] + "…"
