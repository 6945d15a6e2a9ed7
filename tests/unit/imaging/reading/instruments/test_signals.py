"""Which signals are images, what they are called, and what they say: on made-up signals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import UnreadableMicrograph
from core.imaging.reading.instruments import signals
from core.imaging.reading.instruments.fields import instrument_fields
from core.imaging.reading.instruments.signals import Picture, find_pictures

TICKS_PER_DAY = 864_000_000_000
DAYS_TO_2016_02_01 = 151_606  # since 1601


def axis(units: str = "nm", scale: float = 2.0, navigate: bool = False) -> dict[str, Any]:
    return {"units": units, "scale": scale, "navigate": navigate}


def signal(
    data: np.ndarray, axes: list[dict[str, Any]], title: str = "", **original: Any
) -> dict[str, Any]:
    metadata = {"General": {"title": title}}
    return {"data": data, "axes": axes, "metadata": metadata, "original_metadata": original}


def found(
    monkeypatch: pytest.MonkeyPatch, *made: dict[str, Any], kind: str = "dm"
) -> list[Picture]:
    monkeypatch.setattr(signals, "_read", lambda kind, path: list(made))
    return find_pictures(kind, Path("picture.dm4"))


IMAGE = [axis(), axis()]


def test_real_images_come_before_transforms(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = found(
        monkeypatch,
        signal(np.ones((2, 2), np.complex64), IMAGE, "FFT"),
        signal(np.ones((3, 3)), IMAGE, "HAADF"),
    )
    assert [picture.label for picture in pictures] == ["HAADF", "FFT"]


def test_every_image_of_a_stack_has_a_label_and_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    data = np.arange(24).reshape(2, 3, 2, 2)
    axes = [axis("s", navigate=True), axis("", navigate=True), *IMAGE]
    pictures = found(monkeypatch, signal(data, axes, "Ceta"))
    assert [picture.label for picture in pictures][:2] == ["Ceta, frame 1", "Ceta, frame 2"]
    assert np.array_equal(pictures[4].load(), data[1, 1])


def test_names_of_ours_are_no_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    (picture,) = found(monkeypatch, signal(np.ones((2, 2)), IMAGE, "picture"))
    assert picture.label == "image 1"


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((8,), [axis("eV")]),
        ((3, 8), [axis(navigate=True), axis("eV")]),
        ((3, 3, 8), [axis(navigate=True), axis(navigate=True), axis("keV")]),
        ((3, 8), [axis(), axis("eV")]),
        ((0, 8), IMAGE),
    ],
)
def test_spectra_and_empty_arrays_are_no_images(
    shape: tuple[int, ...], axes: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnreadableMicrograph, match="no image in the file"):
        found(monkeypatch, signal(np.zeros(shape), axes))


@pytest.mark.parametrize(
    ("mode", "camera", "unit", "trusted"),
    [
        (" TEM uP SA Zoom Image", False, "nm", True),
        (" TEM uP Zoom Diffraction", False, "1 / nm", True),
        (" TEM uP Zoom Diffraction", False, "nm", False),
        (" STEM nP SA Zoom Diffraction", False, "nm", True),
        (" STEM nP SA Zoom Diffraction", True, "nm", False),
        ("", False, "nm", False),
    ],
)
def test_series_is_trusted_when_its_own_settings_agree(
    mode: str, camera: bool, unit: str, trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire = {"CameraNamePath": "Ceta"} if camera else {}
    info = {"ExperimentalDescription": {"Mode": mode}, "AcquireInfo": acquire}
    made = signal(np.ones((2, 2)), [axis(unit), axis(unit)], ObjectInfo=info)
    described = found(monkeypatch, made, kind="tia")[0].described()
    assert (described["axes"] is not None) == trusted
    assert ("calibration" in described["fields"]) != trusted


def dm(date: str, ticks: float | None) -> dict[str, Any]:
    bar = {"Acquisition Date": date} | ({} if ticks is None else {"Acquisition Time (OS)": ticks})
    tags = {"ImageTags": {"DataBar": bar}}
    made = signal(np.ones((2, 2)), IMAGE, ImageList={"TagGroup0": tags})
    made["metadata"]["General"]["date"] = date
    return made


@pytest.mark.parametrize(
    ("date", "ticks", "meant"),
    [
        ("2016-01-02", DAYS_TO_2016_02_01 * TICKS_PER_DAY, "2016-02-01"),
        ("2016-02-01", DAYS_TO_2016_02_01 * TICKS_PER_DAY, "2016-02-01"),
        ("2016-01-02", None, "2016-01-02"),
        ("2016-01-02", 1.0, "2016-01-02"),
        ("2016-01-02", 1e30, "2016-01-02"),
        ("27/13/2016", DAYS_TO_2016_02_01 * TICKS_PER_DAY, "27/13/2016"),
    ],
)
def test_clock_decides_between_day_and_month(date: str, ticks: float | None, meant: str) -> None:
    assert instrument_fields(dm(date, ticks))["date"] == meant


def test_converters_that_fail_leave_their_field_out() -> None:
    made = signal(np.ones((2, 2)), IMAGE, Voltage="high", Mag=900)
    target = "Acquisition_instrument.SEM."
    made["mapping"] = {
        "Voltage": (f"{target}beam_energy", lambda v: v / 1000),
        "Mag": (f"{target}magnification", None),
    }
    assert instrument_fields(made) == {"magnification": 900.0}


def test_texts_are_printable_and_short() -> None:
    made = signal(np.ones((2, 2)), IMAGE, Name="T\0\n" + "x" * 500)
    made["mapping"] = {"Name": ("Acquisition_instrument.TEM.microscope", None)}
    assert instrument_fields(made)["instrument"] == "T" + "x" * 99
