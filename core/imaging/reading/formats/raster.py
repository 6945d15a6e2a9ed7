"""PNG, JPEG, BMP, WebP and GIF: pictures without a scale of their own, but for Phenom's JPEG."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from core.errors import UnreadableMicrograph
from core.imaging.reading.formats.bounded import LARGE_PX, decode_bounded
from core.imaging.reading.formats.jpeg_segments import check_jpeg
from core.imaging.reading.frame import Decoder, Frame, Source, to_grey, upright
from core.imaging.reading.limits import (
    MAX_FRAME_MEGAPIXELS,
    check_frame,
    check_frame_bytes,
    check_frame_number,
)
from core.imaging.scale import read_appended

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_BMP = b"BM"
_GIF = (b"GIF87a", b"GIF89a")
_MAX_GIF_PX = 25_000_000  # a few bytes announce any canvas, and its colours take 10 s at 100
_MAX_GIF_BYTES = 30_000_000  # a picture of that size, packed; the rest would be other frames
_MAX_CHUNKS = 50_000  # libpng writes 25,000 of 8 kB for the largest file that is read
_OLD_BMP = b"\x0c"  # the length of a header without packing, of OS/2
_APPENDED_BYTES = 500_000
MAX_PX = MAX_FRAME_MEGAPIXELS * 1_000_000
_LARGE_GIF = "The GIF is too large to be a picture; export it as PNG."
_CUT_SHORT = "The file is cut short or damaged; copy or export it again."


def _recognises(head: bytes) -> bool:
    return head.startswith((_PNG, _JPEG, _BMP, *_GIF)) or _is_webp(head)


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _labels(source: Source) -> list[str]:
    return ["picture"]


def _decode(source: Source, frame: int) -> tuple[Frame, int]:
    check_frame_number(frame, 1)
    if _is_costly(source.data):
        return decode_bounded("raster", source, frame)
    return decode_here(source, frame, LARGE_PX)


def _is_costly(data: bytes) -> bool:
    """Refuse what is cut or announces too much; tell what may cost more than a bounded time."""
    if data.startswith(_GIF):
        if len(data) > _MAX_GIF_BYTES:
            raise UnreadableMicrograph(_LARGE_GIF)
        return True  # its blocks are walked one by one, and may be millions
    height, width = _announced(data)
    if height and width:  # else its decoder says what is wrong
        check_frame(height, width)
    return height * width > LARGE_PX or (data.startswith(_BMP) and _is_packed_bmp(data))


def _announced(data: bytes) -> tuple[int, int]:
    """Return the height and width in the header, after a look at whether the file is whole."""
    if data.startswith(_PNG):
        _check_png(data)
        return _uint32(data, 20), _uint32(data, 16)
    if data.startswith(_JPEG):
        return _check_jpeg(data)
    if _is_webp(data):
        return _check_webp(data)
    width, height = (int.from_bytes(data[at : at + 4], "little", signed=True) for at in (18, 22))
    return (0, 0) if data[14:15] == _OLD_BMP else (abs(height), abs(width))


def _is_packed_bmp(data: bytes) -> bool:
    """Tell whether runs of pixels are packed, which are unpacked one by one."""
    return data[14:15] != _OLD_BMP and data[30:31] in (b"\1", b"\2")


def decode_here(source: Source, frame: int, most_px: int = MAX_PX) -> tuple[Frame, int]:
    """Decode in this process; a picture of more pixels than `most_px` is refused."""
    data = source.data
    picture = _open(data)
    check_frame(picture.height, picture.width)
    if picture.height * picture.width > most_px:  # its header said otherwise
        raise UnreadableMicrograph(_CUT_SHORT)
    if data.startswith(_GIF) and picture.height * picture.width > _MAX_GIF_PX:
        raise UnreadableMicrograph(_LARGE_GIF)
    if _is_16_bit_color_png(data):
        check_frame_bytes(picture.height * picture.width * 8)
    picture.load()
    values = _read_16_bit_color(data) if _is_16_bit_color_png(data) else _values(picture)
    pixels, notes = to_grey(values)
    metadata = {"format": str(picture.format), "bit_depth": _describe(values)}
    stored = pixels.shape[0], pixels.shape[1]
    pixel_size, said = read_appended(_behind_jpeg(data), stored[1], stored[0])
    pixels, turns = upright(pixels, _orientation(picture))
    notes = [*notes, *turns]
    if data.startswith(_GIF) and getattr(picture, "is_animated", False):
        notes.append("the first of several frames")
    if notes:
        metadata["conversion"] = "; ".join(notes)
    return Frame(pixels, pixel_size, metadata | said, stored if turns else None), 1


def _behind_jpeg(data: bytes) -> str:
    """Return the text that some programs put behind the end of a JPEG, "" when there is none."""
    if not data.startswith(_JPEG):
        return ""
    tail = data[-_APPENDED_BYTES:]
    start = tail.rfind(b"<?xml")
    return tail[start:].decode("utf-8", "replace") if start >= 0 else ""


def _orientation(picture: ImageFile.ImageFile) -> int:
    """Return Exif's orientation; 1, upright, where nothing readable is said."""
    try:
        stated = picture.getexif().get(0x0112, 1)
    except Exception:  # whatever is wrong with it, the picture itself is sound
        return 1
    return stated if isinstance(stated, int) else 1


def _open(data: bytes) -> ImageFile.ImageFile:
    """Read the header only.

    The plugin's class instead of `Image.open`, because that one warns of a bomb below our own
    limit; nothing is decoded until `check_frame` has seen the size.
    """
    stream = io.BytesIO(data)
    if data.startswith(_PNG):
        return PngImagePlugin.PngImageFile(stream)
    if data.startswith(_JPEG):
        return JpegImagePlugin.JpegImageFile(stream)
    if _is_webp(data):
        return WebPImagePlugin.WebPImageFile(stream)
    if data.startswith(_GIF):
        return GifImagePlugin.GifImageFile(stream)
    return BmpImagePlugin.BmpImageFile(stream)


def _values(picture: ImageFile.ImageFile) -> NDArray[np.generic]:
    """Return what Pillow decoded: bool, uint8 or uint16; palettes become colours."""
    if picture.mode in ("P", "PA"):
        return np.asarray(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))
    if picture.mode in ("CMYK", "YCbCr"):
        return np.asarray(picture.convert("RGB"))
    values = np.asarray(picture)
    # Some 16-bit pictures come as 32-bit integers.
    return values.astype(np.uint16) if picture.mode == "I" else values


def _is_16_bit_color_png(data: bytes) -> bool:
    """Tell whether Pillow would drop the lower eight bits: 16 bits in more than one channel."""
    return data.startswith(_PNG) and data[24] == 16 and data[25] != 0


def _read_16_bit_color(data: bytes) -> NDArray[np.generic]:
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16:
        raise UnreadableMicrograph(_CUT_SHORT)
    if values.ndim == 2:
        return np.asarray(values)
    order = [2, 1, 0, 3][: values.shape[2]]
    return np.asarray(values[..., order])


def _describe(values: NDArray[np.generic]) -> str:
    bits = {"bool": 1, "uint8": 8, "uint16": 16}[values.dtype.name]
    channels = 1 if values.ndim == 2 else values.shape[2]
    kinds = {1: "grey", 2: "grey with alpha", 3: "colour", 4: "colour with alpha"}
    return f"{bits}-bit {kinds[channels]}"


def _check_png(data: bytes) -> None:
    """Refuse a PNG that does not reach its end, or whose critical chunks are damaged."""
    for number, (kind, body, stored_crc) in enumerate(_png_chunks(data)):
        if number > _MAX_CHUNKS:
            raise UnreadableMicrograph(
                "The PNG is cut into far more pieces than programs write; export it again."
            )
        if kind[:1].isupper() and zlib.crc32(kind + body) != stored_crc:
            raise UnreadableMicrograph(_CUT_SHORT)
        if kind == b"IEND":
            return
    raise UnreadableMicrograph(_CUT_SHORT)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Walk the chunks that are there in full: kind, body, stored checksum."""
    start = len(_PNG)
    while start + 12 <= len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        end = start + 8 + length
        if end + 4 > len(data):
            return
        yield data[start + 4 : start + 8], data[start + 8 : end], _uint32(data, end)
        start = end + 4


def _uint32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _check_jpeg(data: bytes) -> tuple[int, int]:
    """Return the size; refuse a JPEG whose last scan has no end: the rest would become grey."""
    if data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        raise UnreadableMicrograph(_CUT_SHORT)
    return check_jpeg(data)


def _check_webp(data: bytes) -> tuple[int, int]:
    """Return the size of the canvas; refuse a WebP that is cut short.

    Its decoder allocates the canvas while it reads the header.
    """
    if len(data) < 30 or 8 + int.from_bytes(data[4:8], "little") > len(data):
        raise UnreadableMicrograph(_CUT_SHORT)
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        width, height = _uint24(body, 4) + 1, _uint24(body, 7) + 1
    elif kind == b"VP8L":
        packed = int.from_bytes(body[1:5], "little")
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    else:
        width, height = (int.from_bytes(body[i : i + 2], "little") & 0x3FFF for i in (6, 8))
    return height, width


def _uint24(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")


RASTER = Decoder(_recognises, _labels, _decode)
