"""Settings in a text file beside a picture: taken when they are of that picture."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile

from core.imaging.reading.opening import read_micrograph
from core.micrograph import Micrograph

HITACHI = (
    "[SemImageFile]\r\nInstructName=SU8230\r\nImageName=a.tif\r\nDate=03/25/2021\r\nTime=10:11:12\r\n"
    "DataSize=8x6\r\nPixelSize=4.961\r\nSignalName=SE(U)\r\nAcceleratingVoltage=15000 Volt\r\n"
    "Magnification=20000\r\nWorkingDistance=8200 um\r\n"
)
JEOL = (
    "$CM_FORMAT JEOL/SEM\r\n$CM_ACCEL_VOLT 15.00\r\n$CM_MAG 1000\r\n$CM_FULL_SIZE 8 6\r\n"
    "$CM_INSTRUMENT 7100F\r\n$CM_SIGNAL SEI\r\n$CM_DATE 2020/01/31\r\n"
    "$$SM_MICRON_BAR 100\r\n$$SM_MICRON_MARKER 10um\r\n$$SM_WD 9.9\r\n"
)


def tiff(width: int = 8, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((6, width), np.uint8), **options)
    return stream.getvalue()


def read(text: str, encoding: str = "latin-1", width: int = 8, name: str = "a.txt") -> Micrograph:
    return read_micrograph(tiff(width), "a.tif", companions={name: text.encode(encoding)})


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_hitachi_settings_are_read(encoding: str) -> None:
    micrograph = read(HITACHI, encoding)
    assert micrograph.pixel_size is not None
    assert micrograph.pixel_size.to("nm") == pytest.approx(4.961)
    expected = {
        "calibration": "Hitachi (settings beside the picture)",
        "voltage_kv": 15.0,
        "working_distance_mm": 8.2,
        "magnification": 20_000.0,
        "detector": "SE(U)",
        "instrument": "Hitachi SU8230",
        "date": "2021-03-25",
        "time": "10:11:12",
    }
    assert {key: micrograph.metadata[key] for key in expected} == expected


def test_jeol_settings_are_read() -> None:
    micrograph = read(JEOL)
    assert micrograph.pixel_size is not None
    assert micrograph.pixel_size.to("nm") == pytest.approx(100)
    assert micrograph.metadata["voltage_kv"] == 15
    assert micrograph.metadata["working_distance_mm"] == 9.9
    assert micrograph.metadata["instrument"] == "JEOL 7100F"
    assert micrograph.metadata["date"] == "2020-01-31"


@pytest.mark.parametrize("text", [HITACHI, JEOL])
def test_settings_of_a_picture_of_another_width_give_no_scale(text: str) -> None:
    micrograph = read(text, width=9)
    assert micrograph.pixel_size is None
    assert "for one 8 pixels wide" in micrograph.metadata["calibration"]


def test_settings_of_another_picture_are_not_used() -> None:
    assert read(HITACHI, name="b.txt").pixel_size is None


def test_settings_beside_a_path_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff())
    (tmp_path / "a.txt").write_text(HITACHI, encoding="latin-1")
    assert read_micrograph(tmp_path / "a.tif").pixel_size is not None
    assert read_micrograph(tmp_path / "a.tif", companions={}).pixel_size is None


def test_picture_that_states_its_scale_keeps_it() -> None:
    data = tiff(imagej=True, resolution=(1, 1), metadata={"unit": "nm"})
    micrograph = read_micrograph(data, "a.tif", companions={"a.txt": HITACHI.encode()})
    assert str(micrograph.pixel_size) == "1 nm/px"


@pytest.mark.parametrize(
    "text",
    ["", "notes of the day", "[SemImageFile]", "[SemImageFile]\r\nPixelSize=x\r\n", "$CM_MAG"],
)
def test_other_text_does_no_harm(text: str) -> None:
    assert read(text).pixel_size is None


def test_bytes_that_are_no_text_do_no_harm() -> None:
    noise = {"a.txt": b"\xff\xfe[SemImageFile]" + bytes(range(256))}
    assert read_micrograph(tiff(), "a.tif", companions=noise).pixel_size is None
