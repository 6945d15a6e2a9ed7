"""What the viewer sends to a browser, and what it believes of what comes back."""

import json
import struct

import numpy as np
import pytest

from core.imaging.display.encoding import png_bytes
from core.ui.parts.viewer import linked

PNG = png_bytes(np.zeros((3, 5), np.uint8))


def test_a_message_holds_the_header_and_every_picture():
    line = [(0.1, 0.2), (0.3, 0.4)]
    data = linked.pack([PNG, PNG], ("a", "b"), "k", "line", line, (), "alt", "caption")
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    assert header["bytes"] == [len(PNG), len(PNG)]
    assert (header["width_px"], header["height_px"]) == (5, 3)
    assert header["line"] == [[0.1, 0.2], [0.3, 0.4]]
    assert data[4 + length :] == PNG + PNG


@pytest.mark.parametrize(
    ("given", "count", "believed"),
    [
        ([[0.2, 0.4], [0.5, 0.6]], 2, [(0.2, 0.4), (0.5, 0.6)]),
        ([[-3, 7]], 1, [(0.0, 1.0)]),
        ([[0.2, 0.4]], 2, []),
        ([[0.2, float("nan")]], 1, []),
        ([["a", 1]], 1, []),
        ([[1]], 1, []),
        ([None], 1, []),
        ("ab", 2, []),
        ({"a": 1}, 1, []),
        (None, 2, []),
    ],
)
def test_only_points_are_believed(given, count, believed):
    assert linked._points(given, count) == believed


def test_a_spectrum_says_where_its_middle_is_and_how_large_a_pixel():
    lattice = linked.Lattice((100, 201), 0.5, "nm")
    data = linked.pack([PNG], ("a",), "k", "spots", (), (), "alt", "caption", lattice)
    header = json.loads(data[4 : 4 + struct.unpack("<I", data[:4])[0]])
    assert header["lattice"] == {"zero": [100.5 / 201, 50.5 / 100], "edge": 0.5, "unit": "nm"}
