"""Small files of each kind that tests write themselves."""

import io
import json
import struct
import zipfile

import h5py
import numpy as np
from numpy.typing import NDArray

_MRC_MODES = {"int8": 0, "int16": 1, "float32": 2, "uint16": 6}


def mrc_bytes(values: NDArray, pixel_nm: float = 1.0) -> bytes:
    """An MRC2014 file of (H, W) or (N, H, W)."""
    stack = values[None] if values.ndim == 2 else values
    sections, rows, columns = stack.shape
    header = bytearray(1024)
    mode = _MRC_MODES[values.dtype.name]
    struct.pack_into("<4i", header, 0, columns, rows, sections, mode)
    struct.pack_into("<3i", header, 28, columns, rows, sections)
    cell = [10 * pixel_nm * n for n in (columns, rows, sections)]  # in ångström
    struct.pack_into("<6f", header, 40, *cell, 90, 90, 90)
    struct.pack_into("<3i", header, 64, 1, 2, 3)
    struct.pack_into("<i", header, 108, 20140)
    header[208:216] = b"MAP DD\0\0"
    return bytes(header) + np.ascontiguousarray(stack).tobytes()


def ncem_emd_bytes(values: NDArray, pixel_nm: float = 1.0) -> bytes:
    """A Berkeley EMD file with one image."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
        group = file.create_group("data/picture")
        group.attrs["emd_group_type"] = 1
        group.create_dataset("data", data=values.T)
        for number, size in enumerate(values.T.shape, 1):
            axis = group.create_dataset(f"dim{number}", data=np.arange(size) * pixel_nm)
            axis.attrs["name"], axis.attrs["units"] = "xy"[number - 1], "[n_m]"
    return stream.getvalue()


def zspy_files(values: NDArray, pixel_nm: float = 2.5, **array: object) -> dict[str, bytes]:
    """The files of a zarr store with one picture, as HyperSpy lays them out; `array` changes it."""
    import numcodecs  # not by those who need no store: it has work left at the end of a process

    codec = numcodecs.Blosc(cname="zstd", clevel=1)
    said = {
        "zarr_format": 2,
        "shape": values.shape,
        "chunks": values.shape,
        "dtype": values.dtype.str,
        "compressor": codec.get_config(),
        "filters": None,
        "fill_value": 0,
        "order": "C",
    }
    group = json.dumps({"zarr_format": 2}).encode()
    files = {
        ".zgroup": group,
        ".zattrs": b'{"file_format": "ZSpy", "file_format_version": "3.3"}',
        "Experiments/.zgroup": group,
        "Experiments/map/.zgroup": group,
        "Experiments/map/.zattrs": b'{"package": "hyperspy", "package_version": "2.3"}',
        "Experiments/map/data/.zarray": json.dumps(said | array).encode(),
        "Experiments/map/data/0.0": codec.encode(values),
    }
    for part in ("metadata", "metadata/General", "metadata/Signal", "original_metadata"):
        files[f"Experiments/map/{part}/.zgroup"] = group
    files["Experiments/map/metadata/General/.zattrs"] = b'{"title": "map"}'
    files["Experiments/map/metadata/Signal/.zattrs"] = b'{"signal_type": ""}'
    for number, side in enumerate(values.shape):
        axis = {"name": "yx"[number], "scale": pixel_nm, "offset": 0, "size": side, "units": "nm"}
        axis |= {"_type": "UniformDataAxis", "navigate": False, "is_binned": False}
        files[f"Experiments/map/axis-{number}/.zgroup"] = group
        files[f"Experiments/map/axis-{number}/.zattrs"] = json.dumps(axis).encode()
    return files


def zip_bytes(files: dict[str, bytes], folder: str = "") -> bytes:
    """A ZIP of files in their order; in a folder, from the last name to the first."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(files, reverse=True) if folder else files:
            archive.writestr(folder + name, files[name])
    return stream.getvalue()
