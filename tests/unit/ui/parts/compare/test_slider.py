import json
import struct

import numpy as np
import pytest

from core.imaging.display.encoding import png_bytes
from core.ui.parts.compare import slider

LEFT = png_bytes(np.zeros((3, 7), np.uint8))
RIGHT = png_bytes(np.full((3, 7, 3), 200, np.uint8))


def test_png_size_is_width_then_height():
    assert slider.png_size(LEFT) == (7, 3)


def test_message_holds_header_and_both_files_untouched():
    message = slider.pack(LEFT, RIGHT, ("Vorher", "µ-Nachher"), "k", "alt", "caption")
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    assert header["labels"] == ["Vorher", "µ-Nachher"]
    assert (header["width_px"], header["height_px"]) == (7, 3)
    pictures = message[4 + length :]
    assert pictures[: header["left_bytes"]] == LEFT
    assert pictures[header["left_bytes"] :] == RIGHT


def test_pictures_of_different_size_are_refused():
    with pytest.raises(ValueError, match="differ in size"):
        slider.slider(LEFT, png_bytes(np.zeros((4, 7), np.uint8)), labels=("a", "b"), key="k")


def test_component_loads_nothing_from_elsewhere():
    for name in ("slider.html", "slider.css", "slider.js"):
        text = (slider._HERE / name).read_text(encoding="utf-8")
        assert "http" not in text
        assert "import " not in text
