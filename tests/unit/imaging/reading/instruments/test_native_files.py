"""Every instrument file that is here agrees with what is known to be true of it.

Where our rule differs from the note beside a file, the difference is said here:

* Values are kept as 8-bit, 16-bit or 32-bit float. Signed, 32-bit and double levels come as 32-bit
  float, exactly for every one of these files; bits come as 0 and 255, colours as luminance.
* A complex transform comes as log(1 + magnitude), after the real images of the same file.
* Olympus files and the like: the measured page is frame 0, the preview follows.
* A .ser has its .emi's scale when that lies beside it and none when it is alone.
* Where no pixel size is noted, it must be what RosettaSciIO reads, or None if that is no length.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import UnreadableMicrograph
from core.imaging.reading.opening import frame_labels, read_micrograph
from core.imaging.scale.words import describe_instrument
from core.micrograph import PixelSize
from tests.conftest import SHARED

EXPECTED = SHARED / "native" / "expected.json"
ENTRIES: list[dict[str, Any]] = (
    json.loads(EXPECTED.read_text(encoding="utf-8")) if EXPECTED.is_file() else []
)
NO_IMAGE = {
    "dm/not_an_image/test-EELS_spectrum.dm3",
    "fei_tia/16x16-spectrum_image-5x5x1024.emi",
    "fei_tia/16x16-spectrum_image-5x5x1024_1.ser",
    "emd/berkeley/not_an_image/example_spectrum.emd",
}
NO_LENGTH = ("1/nm", "1 / µm", "", "[]", "None", "µ", "µn")
SPECIAL_PIXELS = {  # grey levels of the 2 × 2 files that are not [[1, 2], [3, 4]]
    "dm/dtypes_2x2/test-14.dm4": {0, 255},  # bits
    "dm/dtypes_2x2/test-23.dm4": None,  # colours
}
readable = [entry for entry in ENTRIES if entry["file"] not in NO_IMAGE]


def by_file(entry: dict[str, Any]) -> str:
    return str(entry["file"])


def image_reads(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """What RosettaSciIO reads as images, real ones first."""
    reads = [read for read in entry["rsciio_0_15_0_reads"] or [] if len(read["axes"]) > 1]
    real_first = sorted(reads, key=lambda read: read["dtype"].startswith("complex"))
    return sorted(real_first, key=lambda read: read["axes"][-1]["units"] == "None")


def test_the_list_is_here(shared_data: Path) -> None:
    assert len(ENTRIES) == 48
    assert all((shared_data / "native" / entry["file"]).is_file() for entry in ENTRIES)


@pytest.mark.parametrize("file", sorted(NO_IMAGE))
def test_spectra_are_refused_as_such(file: str, shared_data: Path) -> None:
    for call in (read_micrograph, frame_labels):
        with pytest.raises(UnreadableMicrograph, match="no image in the file, only a spectrum"):
            call(shared_data / "native" / file)


@pytest.mark.parametrize("entry", readable, ids=by_file)
def test_shape_and_number_of_frames(entry: dict[str, Any], shared_data: Path) -> None:
    path = shared_data / "native" / entry["file"]
    micrograph = read_micrograph(path)
    truth = entry["truth"]
    shape = truth.get("shape_image", truth.get("shape"))
    if entry["file"].startswith("dm/nion/ref_F_2_1"):
        shape = [5, 3, 4]  # rows and columns of points with five values each: five maps
    if shape is None and image_reads(entry):
        shape = image_reads(entry)[0]["shape"]
    if shape is not None:
        assert micrograph.shape == tuple(shape[-2:])
        stack = shape[0] if len(shape) == 3 else 1
        assert len(frame_labels(path)) >= stack
    reads = image_reads(entry)
    if reads:
        images = [np.prod(read["shape"][:-2], dtype=int) for read in reads]
        assert len(frame_labels(path)) == sum(images)


@pytest.mark.parametrize("entry", readable, ids=by_file)
def test_depth_is_kept_or_becomes_float(entry: dict[str, Any], shared_data: Path) -> None:
    micrograph = read_micrograph(shared_data / "native" / entry["file"])
    stated = str(entry["truth"].get("dtype", "")).removeprefix("page 2: ")
    reads = image_reads(entry)
    stored = stated or (reads[0]["dtype"] if reads else "float32")
    wanted = {"bool": "uint8", "uint8": "uint8", "uint16": "uint16"}.get(stored, "float32")
    if stored.startswith("[("):
        wanted = "uint8"
    assert micrograph.pixels.dtype.name == wanted
    assert "rounded" not in micrograph.metadata.get("conversion", "") or stored == "float64"


@pytest.mark.parametrize("entry", readable, ids=by_file)
def test_pixel_size_is_the_true_one(entry: dict[str, Any], shared_data: Path) -> None:
    micrograph = read_micrograph(shared_data / "native" / entry["file"])
    truth, reads = entry["truth"], image_reads(entry)
    if "pixel_size" in truth:
        value, unit = truth["pixel_size"], (truth["unit"] or "").split(" ")[0]
    elif reads:
        value, unit = reads[0]["axes"][-1]["scale"], reads[0]["axes"][-1]["units"]
    else:
        value, unit = None, None
    size = micrograph.pixel_size
    if value is None or unit in NO_LENGTH:
        assert size is None
    else:
        assert size is not None
        assert size.to("nm") == pytest.approx(PixelSize(value, unit).to("nm"), rel=1e-4)


@pytest.mark.parametrize("entry", readable, ids=by_file)
def test_instrument_is_what_is_known(entry: dict[str, Any], shared_data: Path) -> None:
    truth = entry["truth"]
    metadata = read_micrograph(shared_data / "native" / entry["file"]).metadata
    if "beam_energy_kV" in truth:
        assert metadata["voltage_kv"] == pytest.approx(truth["beam_energy_kV"])
    if "magnification" in truth:
        assert metadata["magnification"] == pytest.approx(truth["magnification"], rel=1e-3)
    if "working_distance_mm" in truth:
        assert metadata["working_distance_mm"] == pytest.approx(truth["working_distance_mm"])
    if "working_distance_m" in truth:
        assert metadata["working_distance_mm"] == pytest.approx(truth["working_distance_m"] * 1e3)
    if "microscope" in truth:
        assert truth["microscope"] in metadata["instrument"]
    if "camera_length" in truth:
        assert metadata["camera_length_mm"] == pytest.approx(truth["camera_length"])
    if "date" in truth:
        month, _, rest = truth["date"].partition("/")
        day, _, year = rest.partition("/")
        assert metadata["date"] == (f"{year}-{month}-{day}" if year else truth["date"])
    if "time" in truth and truth["time"].count(" ") == 0:
        assert metadata["time"] == truth["time"]


@pytest.mark.parametrize("entry", [e for e in readable if "2x2" in e["file"]], ids=by_file)
def test_all_data_types_of_digital_micrograph(entry: dict[str, Any], shared_data: Path) -> None:
    pixels = read_micrograph(shared_data / "native" / entry["file"]).pixels
    if entry["file"] in SPECIAL_PIXELS:
        allowed = SPECIAL_PIXELS[entry["file"]]
        assert allowed is None or set(pixels.ravel().tolist()) <= allowed
    else:
        assert pixels.tolist() == [[1, 2], [3, 4]]


def test_sum_of_a_known_image(shared_data: Path) -> None:
    micrograph = read_micrograph(shared_data / "native/dm/multi_signal.dm3")
    assert int(micrograph.pixels.sum(dtype=np.int64)) == 949_490_255


@pytest.mark.parametrize("end", [".emi", "_1.ser"])
def test_series_equal_the_array_saved_beside_them(end: str, shared_data: Path) -> None:
    folder = shared_data / "native/fei_tia"
    truth = read_micrograph(folder / "64x64_TEM_images_acquire.npy")
    micrograph = read_micrograph(folder / f"64x64_TEM_images_acquire{end}")
    assert np.array_equal(micrograph.pixels, truth.pixels)


@pytest.mark.parametrize("end", ["dm3", "dm4"])
def test_counting_files_hold_what_they_count(end: str, shared_data: Path) -> None:
    folder = shared_data / "native/dm/nion"
    flat = read_micrograph(folder / f"ref_F_0_2.{end}").pixels
    assert np.array_equal(flat, np.arange(6).reshape(3, 2))
    path = folder / f"ref_F_2_1.{end}"
    maps = np.stack([read_micrograph(path, frame=i).pixels for i in range(5)], axis=-1)
    assert np.array_equal(maps, np.arange(60).reshape(3, 4, 5))


def test_berkeley_image_is_turned_as_its_axes_say(shared_data: Path) -> None:
    pixels = read_micrograph(shared_data / "native/emd/berkeley/example_image.emd").pixels
    assert np.array_equal(pixels, np.arange(9).reshape(3, 3).T)


def test_series_alone_has_no_pixel_size_and_says_why(shared_data: Path) -> None:
    path = shared_data / "native/fei_tia/64x64_TEM_images_acquire_1.ser"
    micrograph = read_micrograph(path.read_bytes(), path.name)
    assert micrograph.pixel_size is None
    assert "give the .emi" in micrograph.metadata["calibration"]


def test_series_given_with_its_settings_has_a_pixel_size(shared_data: Path) -> None:
    folder = shared_data / "native/fei_tia"
    ser, emi = "64x64_TEM_images_acquire_1.ser", "64x64_TEM_images_acquire.emi"
    files = {name: (folder / name).read_bytes() for name in (ser, emi)}
    for name, data in files.items():
        micrograph = read_micrograph(data, name, companions=files)
        assert micrograph.pixel_size is not None
        assert micrograph.pixel_size.to("nm") == pytest.approx(6.281833, rel=1e-6)


def test_settings_of_another_series_are_not_used(shared_data: Path) -> None:
    folder = shared_data / "native/fei_tia"
    ser = "64x64_TEM_images_acquire_1.ser"
    emi = {"128x128_TEM_acquire-sum1.emi": (folder / "128x128_TEM_acquire-sum1.emi").read_bytes()}
    micrograph = read_micrograph((folder / ser).read_bytes(), ser, companions=emi)
    assert micrograph.pixel_size is None


def test_settings_without_their_series_ask_for_it(shared_data: Path) -> None:
    data = (shared_data / "native/fei_tia/64x64_TEM_images_acquire.emi").read_bytes()
    with pytest.raises(UnreadableMicrograph, match=r"together with the \.ser"):
        read_micrograph(data, "64x64_TEM_images_acquire.emi")


def test_diffraction_pattern_states_its_reciprocal_scale(shared_data: Path) -> None:
    micrograph = read_micrograph(shared_data / "native/dm/test_diffraction_pattern.dm3")
    assert micrograph.pixel_size is None
    assert micrograph.metadata["reciprocal_pixel_size"] == "0.174433 1/nm"
    assert "reciprocal" in micrograph.metadata["calibration"]


def test_transform_opens_as_log_magnitude_after_the_image(shared_data: Path) -> None:
    path = shared_data / "native/emd/velox/FFTComplexEven.emd"
    assert frame_labels(path) == ["HAADF", "Half FFT"]
    transform = read_micrograph(path, frame=1)
    assert transform.shape == (70, 36)
    assert transform.metadata["conversion"] == "complex values to log(1 + magnitude)"
    assert transform.pixel_size is None
    assert np.isfinite(transform.pixels).all()


def test_several_signals_are_told_by_their_names(shared_data: Path) -> None:
    labels = frame_labels(shared_data / "native/emd/velox/fei_example_dpc_titles.emd")
    assert set(labels) >= {"iDPC", "DF4-A", "DF4-B", "DF4-C", "DF4-D"}
    assert labels[-1] == "DPC"  # complex


def test_a_second_frame_has_a_digest_of_its_own(shared_data: Path) -> None:
    path = shared_data / "native/emd/velox/fei_example_tem_stack.emd"
    first, second = (read_micrograph(path, frame=i) for i in range(2))
    assert first.sha256 != second.sha256
    assert second.metadata["signal"] == "Ceta, frame 2"
    with pytest.raises(UnreadableMicrograph, match="no frame 2; it holds 2"):
        read_micrograph(path, frame=2)


def test_voltage_and_microscope_are_said_in_words(shared_data: Path) -> None:
    rows = describe_instrument(read_micrograph(shared_data / "native/dm/test_STEM_image.dm3"))
    assert rows["Microscope"] == "FEI Titan"
    assert rows["Voltage"] == "200 kV"
    assert rows["Date"].startswith("2016-08-08")
