"""What may lie over a micrograph in the viewer."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Raster:
    """A layer with a value for every pixel: a heat map, clusters, a mask.

    Attributes
    ----------
    name : str
        What a person reads in the list of layers; names are told apart.
    key : str
        All that the values depend on: what is fetched under it is not fetched again.
    values : ndarray of shape (H, W), uint8
    colours : ndarray of shape (256, 4), uint8
        Red, green, blue and opacity of each value.
    smooth : bool
        Whether values between two pixels mean something: not so for classes.
    opacity : float
        Of the whole layer at first, 0 to 1.
    shown : bool
        At first.
    reads, step, unit : str, float, str
        How a value is read out under the pointer: `reads`, then `step` times the value, then
        `unit`; nothing is read out where `reads` is empty.
    names : mapping of int to str
        What is read out instead, by value.
    """

    name: str
    key: str
    values: NDArray[np.uint8]
    colours: Colours
    smooth: bool = False
    opacity: float = 1.0
    shown: bool = True
    reads: str = ""
    step: float = 1.0
    unit: str = ""
    names: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.uint8:
            raise ValueError(f"values must be (H, W) uint8, got {self.values.shape}")
        if self.colours.shape != (256, 4) or self.colours.dtype != np.uint8:
            raise ValueError(f"colours must be (256, 4) uint8, got {self.colours.shape}")


@dataclass(frozen=True, slots=True)
class Outlines:
    """Outlines of regions, each with its number.

    Attributes
    ----------
    name, key, shown
        As of a `Raster`.
    polygons : sequence of (number, ndarray of shape (n, 2))
        Corners (row, column) in px, pixel centres being whole numbers. A number may come several
        times: a region's holes and parts.
    colour : str
        As CSS writes it.
    numbered : bool
        Whether numbers are written where there is room.
    selected : tuple of int
        Numbers that are marked.
    """

    name: str
    key: str
    polygons: Sequence[tuple[int, NDArray[np.floating[Any]]]]
    colour: str = "#39d0ff"
    numbered: bool = True
    selected: tuple[int, ...] = ()
    shown: bool = True


Layer = Raster | Outlines


def fade_in(table: Colours, most: float = 1.0) -> Colours:
    """Return a colour map (256, 3) that is the more opaque the higher the value: (256, 4)."""
    opacity = np.rint(np.linspace(0, 255 * most, 256)).astype(np.uint8)
    return np.column_stack([table, opacity])


def class_colours(colours: Sequence[str], opacity: float = 1.0, *, first: int = 0) -> Colours:
    """Return the table of classes `first`, `first` + 1, … in these "#rrggbb"; others are clear."""
    table = np.zeros((256, 4), np.uint8)
    for number, colour in enumerate(colours, first):
        table[number, :3] = tuple(bytes.fromhex(colour.removeprefix("#")))
        table[number, 3] = round(255 * opacity)
    return table


def pack_outlines(outlines: Outlines) -> bytes:
    """Return the outlines as the viewer reads them, compressed.

    Little-endian: how many there are, where each begins in the list of corners, the number of
    each (32-bit integers), then x and y of all corners (32-bit floats, from the frame's corner).
    """
    corners = [np.asarray(polygon, np.float32) for _, polygon in outlines.polygons]
    starts = np.cumsum([0, *map(len, corners)], dtype="<u4")
    numbers = np.array([number for number, _ in outlines.polygons], "<u4")
    places = np.concatenate(corners)[:, ::-1] + 0.5 if corners else np.zeros((0, 2))
    head = struct.pack("<I", len(corners))
    parts = [head, starts.tobytes(), numbers.tobytes(), places.astype("<f4").tobytes()]
    return zlib.compress(b"".join(parts), 1)
