"""HDF5 of several programs: pictures with their scale, and a name for what is not read."""

import io
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from core.errors import UnreadableMicrograph
from core.imaging.reading.opening import read_micrograph
from core.micrograph import Micrograph

VALUES = np.arange(20, dtype=np.uint16).reshape(4, 5) * 3


def built(build: Callable[[h5py.File], None]) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        build(file)
    return stream.getvalue()


def nm(micrograph: Micrograph) -> float | None:
    return None if micrograph.pixel_size is None else micrograph.pixel_size.to("nm")


def berkeley(first: str, second: str, unit: str = "[n_m]") -> bytes:
    def build(file: h5py.File) -> None:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
        group = file.create_group("data/picture")
        group.attrs["emd_group_type"] = 1
        group["data"] = VALUES
        for number, (name, size) in enumerate(zip((first, second), VALUES.shape, strict=True), 1):
            axis = group.create_dataset(f"dim{number}", data=np.arange(size) * 0.5)
            axis.attrs["name"], axis.attrs["units"] = name, unit

    return built(build)


def test_axes_named_y_and_x_are_rows_and_columns() -> None:
    assert np.array_equal(read_micrograph(berkeley("Y", "X")).pixels, VALUES)
    assert np.array_equal(read_micrograph(berkeley("x", "y")).pixels, VALUES.T)


@pytest.mark.parametrize("unit", ["n_m", "[n_m]", "nm"])
def test_units_with_or_without_brackets_are_understood(unit: str) -> None:
    assert nm(read_micrograph(berkeley("Y", "X", unit))) == pytest.approx(0.5)


def test_prismatic_means_angstrom_where_it_writes_nm() -> None:
    def build(file: h5py.File) -> None:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 5
        root = "4DSTEM_simulation"
        file.create_group(f"{root}/metadata/metadata_0/original/simulation_parameters")
        group = file.create_group(f"{root}/data/realslices/ppotential")
        group.attrs["emd_group_type"] = 1
        group["data"] = VALUES
        for number, size in enumerate(VALUES.shape, 1):
            axis = group.create_dataset(f"dim{number}", data=np.arange(size) * 0.25)
            axis.attrs["name"], axis.attrs["units"] = "R_x" if number == 1 else "R_y", "[n_m]"

    assert nm(read_micrograph(built(build))) == pytest.approx(0.025)


def test_hyperspy_files_are_read(tmp_path: Path) -> None:
    from rsciio import hspy

    axes = [
        {"size": n, "name": name, "scale": 1.25, "offset": 0, "units": "nm", "navigate": False}
        for name, n in zip("yx", VALUES.shape, strict=True)
    ]
    path = tmp_path / "a.hspy"
    signal = {"data": VALUES, "axes": axes, "metadata": {"General": {"title": "a"}}}
    empty = ("original_metadata", "learning_results", "models", "tmp_parameters")
    signal |= {name: {} for name in empty}
    signal["package_info"] = {"package": "", "package_version": ""}
    signal |= {"attributes": {"_lazy": False, "ragged": False}}
    hspy.file_writer(str(path), signal, show_progressbar=False)
    micrograph = read_micrograph(path)
    assert np.array_equal(micrograph.pixels, VALUES)
    assert nm(micrograph) == pytest.approx(1.25)
    assert micrograph.metadata["format"] == "HyperSpy"


def test_electron_images_of_oxford_are_read() -> None:
    def build(file: h5py.File) -> None:
        header = file.create_group("1/Electron Image/Header")
        for axis, cells in (("X", 5), ("Y", 4)):
            header[f"{axis} Cells"], header[f"{axis} Step"] = [cells], [0.02]
        file["1/Electron Image/Data/SE/Electron Image 1"] = VALUES.ravel()
        file["1/EDS/Data/Spectrum"] = np.arange(7)

    micrograph = read_micrograph(built(build))
    assert np.array_equal(micrograph.pixels, VALUES)
    assert nm(micrograph) == pytest.approx(20)
    assert micrograph.metadata["signal"] == "Electron Image 1"


def test_pictures_of_delmic_are_read() -> None:
    def build(file: h5py.File) -> None:
        data = file.create_group("Acquisition0/ImageData")
        data["Image"] = VALUES.reshape(1, 1, 1, 4, 5)
        data["DimensionScaleX"], data["DimensionScaleY"] = 3e-9, 3e-9
        file["Acquisition1/ImageData/Image"] = np.ones((7, 1, 1, 4, 5))

    micrograph = read_micrograph(built(build))
    assert np.array_equal(micrograph.pixels, VALUES)
    assert nm(micrograph) == pytest.approx(3)


@pytest.mark.parametrize(("steps", "expected"), [("even", 2), ("uneven", None)])
def test_signals_of_nexus_are_read(steps: str, expected: float | None) -> None:
    def build(file: h5py.File) -> None:
        group = file.create_group("entry/image")
        group.attrs["NX_class"], group.attrs["signal"] = "NXdata", "real"
        group.attrs["axes"] = ["axis_y", "axis_x"]
        group["real"] = VALUES
        for name, size in (("axis_y", 4), ("axis_x", 5)):
            places = np.arange(size) * 2.0
            group[name] = places if steps == "even" else places**2
            group[name].attrs["units"] = "nm"

    micrograph = read_micrograph(built(build))
    assert np.array_equal(micrograph.pixels, VALUES)
    assert nm(micrograph) == (pytest.approx(expected) if expected else None)


def test_images_of_a_dm5_are_read_but_for_the_preview() -> None:
    def build(file: h5py.File) -> None:
        file["ImageList/[0]/ImageData/Data"] = np.zeros((2, 2), np.uint8)
        file["ImageList/[1]/ImageData/Data"] = VALUES
        for number in (0, 1):
            axis = file.create_group(f"ImageList/[1]/ImageData/Calibrations/Dimension/[{number}]")
            axis.attrs["Scale"], axis.attrs["Units"] = 0.5, "nm"

    micrograph = read_micrograph(built(build))
    assert np.array_equal(micrograph.pixels, VALUES)
    assert nm(micrograph) == pytest.approx(0.5)


def test_a_sound_file_of_another_kind_is_named_as_such() -> None:
    def build(file: h5py.File) -> None:
        file["results/table"] = np.zeros((3, 3))

    with pytest.raises(UnreadableMicrograph, match="sound HDF5 file of a kind"):
        read_micrograph(built(build))


def test_a_known_kind_without_a_picture_is_said_to_hold_none() -> None:
    def build(file: h5py.File) -> None:
        file["1/EDS/Data/Spectrum"] = np.arange(7)

    with pytest.raises(UnreadableMicrograph, match="no image"):
        read_micrograph(built(build))
