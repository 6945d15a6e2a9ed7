"""A small, whole file of every format: where hostile ones start from."""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from pylibCZIrw import czi

from tests.small_files import mrc_bytes, ncem_emd_bytes, zip_bytes, zspy_files

NOISE = np.random.default_rng(5).integers(0, 256, (24, 20)).astype(np.uint8)
NOISE16 = NOISE.astype(np.uint16) * 251
FLOATS = NOISE.astype(np.float32) / 7
COLOR = np.stack([NOISE, NOISE[::-1], 255 - NOISE], axis=2)
NATIVE_MOST_BYTES = 400_000  # larger ones add time, not kinds of structure


def own_seeds() -> dict[str, list[bytes]]:
    """Return format → files, all written here."""
    return {
        "png": [_picture(v, "PNG") for v in (NOISE, NOISE16, COLOR)],
        "jpeg": [_picture(NOISE, "JPEG"), _picture(COLOR, "JPEG", progressive=True)],
        "bmp": [_picture(NOISE, "BMP"), _picture(COLOR, "BMP")],
        "webp": [_picture(COLOR, "WEBP"), _picture(COLOR, "WEBP", lossless=True)],
        "netpbm": list(_netpbm()),
        "npy": [_npy(v) for v in (NOISE, FLOATS, np.stack([NOISE16] * 3), FLOATS + 1j)],
        "tiff": list(_tiffs()),
        "mrc": [mrc_bytes(FLOATS), mrc_bytes(np.stack([FLOATS] * 3)), _unstamped(FLOATS)],
        "emd": [ncem_emd_bytes(NOISE16)],
        "gif": [_picture(NOISE, "GIF")],
        "jp2": [
            bytes(imagecodecs.jpeg2k_encode(NOISE16, reversible=True, codecformat=kind))
            for kind in ("jp2", "j2k")
        ],
        "hdf5": [_oxford(), _nexus(), _delmic()],
        "zspy": [zip_bytes(zspy_files(NOISE16)), zip_bytes(zspy_files(FLOATS, compressor=None))],
        "czi": [_czi(NOISE16[..., None]), _czi(COLOR)],
        "settings": list(_settings()),
        "zip": [_zip(zipfile.ZIP_DEFLATED), _zip(zipfile.ZIP_STORED)],
    }


def all_seeds(shared: Path) -> dict[str, list[bytes]]:
    """Return those and the files of instruments where they are at hand."""
    seeds = own_seeds()
    kinds = {"dm": "dm/**/*.dm?", "emd": "emd/**/*.emd", "ser": "fei_tia/*.ser"}
    kinds |= {"emi": "fei_tia/*.emi", "tiff": "tiff/**/*.tif"}
    for kind, pattern in kinds.items():
        for path in sorted((shared / "native").glob(pattern)):
            if path.stat().st_size <= NATIVE_MOST_BYTES:
                seeds.setdefault(kind, []).append(path.read_bytes())
    return seeds


def _czi(values: NDArray) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.czi"
        with czi.create_czi(str(path)) as document:
            document.write(data=values, plane={"C": 0, "Z": 0, "T": 0})
            document.write_metadata(document_name="a", scale_x=2e-9, scale_y=2e-9)
        return path.read_bytes()


def _picture(values: NDArray, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, kind, **options)
    return stream.getvalue()


def _zip(compression: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as packed:
        packed.writestr("a.png", _picture(NOISE, "PNG"))
        packed.writestr("day/b.npy", _npy(NOISE))
    return stream.getvalue()


def _npy(values: NDArray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def _unstamped(values: NDArray) -> bytes:
    data = bytearray(mrc_bytes(values))
    data[208:216] = bytes(8)
    return bytes(data)


def _oxford() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        header = file.create_group("1/Electron Image/Header")
        for axis, cells in (("X", 20), ("Y", 24)):
            header[f"{axis} Cells"], header[f"{axis} Step"] = [cells], [0.02]
        file["1/Electron Image/Data/SE/Electron Image 1"] = NOISE16.ravel()
    return stream.getvalue()


def _nexus() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        group = file.create_group("entry/image")
        group.attrs["NX_class"], group.attrs["signal"] = "NXdata", "real"
        group.attrs["axes"] = ["y", "x"]
        group["real"], group["y"], group["x"] = NOISE, np.arange(24.0), np.arange(20.0)
    return stream.getvalue()


def _delmic() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        data = file.create_group("Acquisition0/ImageData")
        data["Image"], data["DimensionScaleX"] = NOISE16[None, None, None], 1e-9
    return stream.getvalue()


def _settings() -> Iterator[bytes]:
    """Text beside a picture; the picture itself is sound."""
    yield b"[SemImageFile]\r\nDataSize=20x24\r\nPixelSize=1.25\r\nMagnification=20000\r\n"
    yield b"[MAIN]\r\nPixelSizeX=1e-8\r\nPixelSizeY=1e-8\r\n[SEM]\r\nHV=10000.0\r\n"
    yield (
        "$CM_FORMAT JEOL/MP\r\n$CM_IMAGE_SIZE 20 24\r\n$CM_FIELD_OF_VIEW 0.2μm 0.24μm\r\n"
        "$CM_PIXEL_SIZE 10nm\r\n$SM_MICRON_BAR 10\r\n$SM_MICRON_MARKER 100nm\r\n"
    ).encode("cp932")


def _described() -> Iterator[dict]:
    """What makers write into a TIFF."""
    for code, text in (
        (34682, "[Beam]\nBeam=EBeam\n[EBeam]\nHFW=2e-8\n[Image]\nResolutionX=20\nResolutionY=24\n"),
        (34683, '<FeiImage><pixelWidth unit="um">0.05</pixelWidth></FeiImage>'),
        (34683, '<Metadata><PixelSize><X unit="m">1e-9</X></PixelSize></Metadata>'),
        (51023, "<Fibics><Image><Width>20</Width></Image><Scan><Ux>1</Ux></Scan></Fibics>"),
        (50431, "PixelSizeX=1e-8\nPixelSizeY=1e-8\n"),
    ):
        yield {"extratags": [(code, 2, 0, text, True)], "metadata": None}
    pixels = '<Pixels SizeX="20" PhysicalSizeX="1"><TiffData IFD="0"/></Pixels>'
    yield {"description": f"<OME>{pixels}</OME>", "metadata": None}
    yield {"description": '{"image": {"hfw": 1e-7}, "pixel_size": {"x": 1e-9}}', "metadata": None}
    yield {"description": "SerialEM", "resolution": (1e7, 1e7), "resolutionunit": 3}
    yield {"extratags": [(274, 3, 1, 6, True)]}
    yield {"compression": "zstd"}
    yield {"compression": "jpeg2000"}


def _netpbm() -> Iterator[bytes]:
    yield b"P5\n20 24\n255\n" + NOISE.tobytes()
    yield b"P5\n20 24\n65535\n" + NOISE16.astype(">u2").tobytes()
    yield b"P6\n20 24\n255\n" + COLOR.tobytes()
    yield b"P2\n20 24\n255\n" + b" ".join(str(v).encode() for v in NOISE.ravel())
    yield b"P4\n20 24\n" + NOISE[:, :3].tobytes()
    yield b"Pf\n20 24\n-1.0\n" + FLOATS.tobytes()


def _tiffs() -> Iterator[bytes]:
    stack = np.stack([NOISE16] * 3)
    ramp = np.repeat(np.arange(256, dtype=np.uint16)[None] * 257, 3, axis=0)
    for values, options in (
        (NOISE, {}),
        (NOISE16, {"byteorder": ">", "bigtiff": True}),
        (FLOATS, {"compression": "deflate", "predictor": True}),
        (NOISE16, {"compression": "lzw", "rowsperstrip": 5}),
        (NOISE, {"compression": "packbits"}),
        (np.kron(NOISE, np.ones((8, 8), np.uint8)), {"compression": "jpeg", "tile": (64, 64)}),
        (NOISE, {"photometric": "palette", "colormap": ramp}),
        (COLOR, {"photometric": "rgb", "tile": (16, 16)}),
        (stack, {"imagej": True, "resolution": (2, 2), "metadata": {"unit": "nm"}}),
        (stack, {"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeX": 2.0}}),
        (NOISE, {"extratags": [(34682, 2, 0, "[Beam]\nHV=1\n[Scan]\nPixelWidth=1e-9\n", True)]}),
        (NOISE > 99, {"photometric": "miniswhite"}),
    ):
        stream = io.BytesIO()
        tifffile.imwrite(stream, values, **options)
        yield stream.getvalue()
    for options in _described():
        stream = io.BytesIO()
        tifffile.imwrite(stream, NOISE, **options)
        yield stream.getvalue()
