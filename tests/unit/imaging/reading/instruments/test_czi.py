"""Zeiss .czi: planes, scale and refusals."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from pylibCZIrw import czi

from core.errors import UnreadableMicrograph
from core.imaging.reading import read_micrograph
from core.imaging.reading.instruments.czi import read_czi
from core.imaging.reading.opening import frame_labels
from core.micrograph import PixelSize

GREY = np.arange(60, dtype=np.uint16).reshape(6, 10)


def write(path: Path, planes: list[np.ndarray], names: list[str], scale_m: float = 2.5e-9) -> bytes:
    with czi.create_czi(str(path)) as document:
        for channel, values in enumerate(planes):
            document.write(data=values, plane={"C": channel, "Z": 0, "T": 0})
        document.write_metadata(
            document_name="a",
            scale_x=scale_m,
            scale_y=scale_m,
            channel_names=dict(enumerate(names)),
        )
    return path.read_bytes()


def test_channels_are_frames_with_their_names_and_the_scale(tmp_path: Path):
    data = write(tmp_path / "a.czi", [GREY[..., None], GREY[..., None] + 7], ["SE2", "InLens"])
    assert frame_labels(data, "a.czi") == ["SE2", "InLens"]
    found = read_micrograph(data, "a.czi", frame=1)
    assert np.array_equal(found.pixels, GREY + 7)
    assert found.pixel_size == PixelSize(2.5, "nm")
    assert found.metadata["format"] == "Zeiss CZI"
    assert found.metadata["signal"] == "InLens"


def test_colour_becomes_luminance_and_no_scale_is_none(tmp_path: Path):
    red = np.zeros((4, 5, 3), np.uint8)
    red[..., 2] = 200  # blue, green, red
    found = read_micrograph(write(tmp_path / "a.czi", [red], ["colour"], scale_m=0), "a.czi")
    assert found.pixels.shape == (4, 5)
    assert found.pixel_size is None
    assert float(found.pixels[0, 0]) == pytest.approx(0.299 * 200, abs=0.6)


def test_a_damaged_one_is_refused_in_a_sentence(tmp_path: Path):
    data = write(tmp_path / "a.czi", [GREY[..., None]], ["SE2"])
    for bad in (data[:600], b"ZISRAWFILE" + bytes(500)):
        with pytest.raises(UnreadableMicrograph, match="export it"):
            read_micrograph(bad, "a.czi")


def test_without_the_reader_it_is_said_what_to_install_or_to_export(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnreadableMicrograph, match=r"pip install pylibCZIrw.*OME-TIFF"):
        read_czi(tmp_path / "a.czi")
