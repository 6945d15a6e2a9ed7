"""A small, whole file of every format: where hostile ones start from."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.small_files import mrc_bytes, ncem_emd_bytes

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
        "mrc": [mrc_bytes(FLOATS), mrc_bytes(np.stack([FLOATS] * 3))],
        "emd": [ncem_emd_bytes(NOISE16)],
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
