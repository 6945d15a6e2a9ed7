"""What was decided for a sample where a recipe leaves it to the pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from math import inf
from typing import Annotated, Any

from annotated_types import Interval, Predicate

from core.measuring.clustering import Smoothing
from core.reporting.schema import Must, brief, checked, read_part

LENGTH_NM = (1e-4, 1e9)  # a tenth of a picometre to a metre
_MOST_PX, _MOST_RATIO = 1e6, 1e6
_AS_FOUND = Smoothing()
_NM_PER = {"nm": 1.0, "µm": 1000.0}

Length = Annotated[
    Annotated[float, Interval(ge=LENGTH_NM[0], le=LENGTH_NM[1])] | None,
    Must(f"be from {LENGTH_NM[0]:g} to {LENGTH_NM[1]:g} or null"),
]
Label = Annotated[
    str, Predicate(lambda text: len(text) <= 120), Must("be text of at most 120 characters")
]


@dataclass(frozen=True, slots=True)
class Decision:
    """What holds for the micrographs of one sample.

    Parameters
    ----------
    sample : str
        Its name; empty where samples have none.
    target_cluster : int
        Counted from the dark end.
    smoothing : Smoothing
        Never "auto".
    smallest_region_px : int
    smallest_region_nm : float or None
        Diameter of a circle; where it is stated and the scale is known, pixels do not count.
    frames, agreeing : int
        How many frames were looked at, and in how many of them the same cluster stood out.
    """

    sample: Label
    target_cluster: Annotated[int, Interval(ge=0, le=19)]
    smoothing: Smoothing = _AS_FOUND
    smallest_region_px: Annotated[int, Interval(ge=1, le=1_000_000)] = 10
    smallest_region_nm: Length = None
    frames: Annotated[int, Interval(ge=0, le=1_000_000)] = 0
    agreeing: Annotated[int, Interval(ge=0, le=1_000_000)] = 0

    def __post_init__(self) -> None:
        checked(Decision, {field.name: getattr(self, field.name) for field in fields(self)})
        if self.smoothing.kind == "auto":
            raise ValueError("smoothing of a decision must not be auto")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON holds them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RegionLimits:
    """Which regions are measured, by what they are like; others count as area alone.

    Parameters
    ----------
    diameter_nm, diameter_px : float or None
        Largest equivalent diameter; that in nm counts where the scale is known.
    least_circularity, most_circularity : float
        0 to 1.
    least_aspect_ratio : float
        From 1.
    most_aspect_ratio : float or None
    """

    diameter_nm: Length = None
    diameter_px: Annotated[
        Annotated[float, Interval(ge=1, le=_MOST_PX)] | None, Must("be from 1 to 1e+06 or null")
    ] = None
    least_circularity: Annotated[float, Interval(ge=0, le=1)] = 0.0
    most_circularity: Annotated[float, Interval(ge=0, le=1)] = 1.0
    least_aspect_ratio: Annotated[float, Interval(ge=1, le=_MOST_RATIO)] = 1.0
    most_aspect_ratio: Annotated[
        Annotated[float, Interval(ge=1, le=_MOST_RATIO)] | None, Must("be from 1 to 1e+06 or null")
    ] = None

    def __post_init__(self) -> None:
        checked(RegionLimits, {field.name: getattr(self, field.name) for field in fields(self)})
        if self.least_circularity > self.most_circularity:
            raise ValueError("the least circularity must not exceed the greatest")
        if self.least_aspect_ratio > (self.most_aspect_ratio or inf):
            raise ValueError("the least aspect ratio must not exceed the greatest")

    def columns(self, unit: str, nm_per_px: float | None) -> dict[str, tuple[Any, Any]]:
        """Return the limits that `filter_regions` takes, for a table with lengths in a unit.

        Parameters
        ----------
        unit : str
            "nm", "µm" or "px".
        nm_per_px : float or None
            None where the scale is not known.
        """
        limits: dict[str, tuple[Any, Any]] = {}
        most = self._most_px(nm_per_px)
        if most is not None:
            size = most if unit == "px" else most * (nm_per_px or 1) / _NM_PER[unit]
            limits[f"equivalent_diameter_{unit}"] = (None, size * (1 + 1e-9))
        if (self.least_circularity, self.most_circularity) != (0, 1):
            limits["circularity"] = (self.least_circularity, self.most_circularity)
        if self.least_aspect_ratio > 1 or self.most_aspect_ratio is not None:
            limits["aspect_ratio"] = (self.least_aspect_ratio, self.most_aspect_ratio)
        return limits

    def _most_px(self, nm_per_px: float | None) -> float | None:
        if self.diameter_nm is not None and nm_per_px:
            return self.diameter_nm / nm_per_px
        return self.diameter_px


def read_decisions(value: object) -> tuple[Decision, ...]:
    """Return decisions from JSON.

    Raises
    ------
    ValueError
        If it is no list of them.
    """
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"decided must be a list of decisions, got {brief(value)}")
    return tuple(_read(each) for each in value)


def find_decision(decided: Iterable[Decision], sample: str) -> Decision | None:
    """Return what was decided for a sample."""
    return next((each for each in decided if each.sample == sample), None)


def _read(value: Mapping[str, Any]) -> Decision:
    given = dict(value)
    if "smoothing" in given:
        given["smoothing"] = read_part("smoothing", given["smoothing"], _AS_FOUND)
    return read_part("a decision", given, Decision("", 0))
