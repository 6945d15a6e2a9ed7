"""TIFF of every kind that microscopes and their programs write."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph
from core.imaging.reading.formats.bounded import LARGE_PX, decode_bounded
from core.imaging.reading.formats.jpeg_segments import check_jpeg_segments
from core.imaging.reading.formats.tiff_directories import check_directories
from core.imaging.reading.frame import Decoder, Frame, Source, to_grey, upright
from core.imaging.reading.limits import (
    MAX_FRAMES,
    check_frame,
    check_frame_bytes,
    check_frame_number,
    listed,
)
from core.imaging.scale import is_jeol, read_calibration

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # classic and BigTIFF, both byte orders
_CUT_SHORT = "The TIFF is cut short or damaged; copy or export it again."
_WHITE_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 2, 3, 6
_PLANES_APART = 2
_JPEG = 7
# None, CCITT, LZW, JPEG, Deflate (two numbers), PackBits.
_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32946, 32773}
# Others bring whole pictures of their own, whose size no header of the TIFF bounds (Zstandard,
# LZMA, LERC, JPEG 2000, WebP, JPEG XL). They are decoded in the bounded process.
_BOUNDED = {50000, 34925, 34926, 34887, 33003, 33005, 34712, 34927, 50001, 50002}
_MOST_SHARED = 2  # times the file: pieces that all lie at one place would be unpacked again
_TWO_DETECTORS = 2
_UNSPECIFIED = 0  # of ExtraSamples: neither of the two kinds of transparency
_RARELY_COMPRESSED = (
    "The TIFF is compressed in a way that is not read here; export it with LZW or without."
)
_SCREEN_ONLY = "values as stored, the inverted table is for the screen"
_READABLE = {_WHITE_IS_ZERO, 1, _RGB, _PALETTE, _YCBCR}

Values = NDArray[Any]

# What is wrong with a file reaches the person as one sentence, not as lines in a log.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)


def _recognises(head: bytes) -> bool:
    return head.startswith(_MAGIC)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a frame lies: a page, and the sample of each pixel where these are two detectors."""

    label: str
    page: tifffile.TiffPage
    sample: int | None = None


def _places(tif: tifffile.TiffFile) -> list[_Place]:
    """Return the frames of a file that is no stack behind a single page."""
    pages = _pages(tif)
    names = _imagej_names(tif, len(pages))
    found = []
    for number, page in enumerate(pages):
        label = names[number] if names else f"page {page.index + 1}"
        if _has_two_detectors(page):
            found += [_Place(f"{label}, detector {i + 1}", page, i) for i in range(2)]
        else:
            found.append(_Place(label, page))
    return found[:MAX_FRAMES]


def _has_two_detectors(page: tifffile.TiffPage) -> bool:
    """Tell two signals a pixel from grey with transparency, which is said to be such."""
    extra = tuple(int(kind) for kind in page.extrasamples or ())
    grey = page.photometric in (_WHITE_IS_ZERO, 1)
    return grey and page.samplesperpixel == _TWO_DETECTORS and extra in ((), (_UNSPECIFIED,))


def _imagej_names(tif: tifffile.TiffFile, frames: int) -> list[str]:
    """Return what ImageJ calls each slice or channel; nothing where it names not all of them."""
    labels = (tif.imagej_metadata or {}).get("Labels") if tif.is_imagej else None
    if not isinstance(labels, list) or len(labels) < frames or frames < 2:
        return []
    plain = ["".join(c for c in str(label)[:60] if c.isprintable()) for label in labels[:frames]]
    return plain if all(plain) else []


def _labels(source: Source) -> list[str]:
    with _opened(source.data) as tif:
        planes = _stacked(tif)
        if planes:
            shown = listed(planes)
            return _imagej_names(tif, shown) or [f"slice {i + 1}" for i in range(shown)]
        return [place.label for place in _places(tif)]


def _decode(source: Source, frame: int) -> tuple[Frame, int]:
    with _opened(source.data) as tif:
        page = _place(tif, frame)[0].page
        _check_page(page, tif.is_imagej)
        if _is_costly(page):
            return decode_bounded("tiff", source, frame)
        return _decode_from(tif, source.data, frame)


def decode_here(source: Source, frame: int) -> tuple[Frame, int]:
    """Decode in this process, whatever it costs."""
    with _opened(source.data) as tif:
        return _decode_from(tif, source.data, frame)


def _is_costly(page: tifffile.TiffPage) -> bool:
    """Tell whether unpacking a page may cost more than a bounded time."""
    pixels = page.imagelength * page.imagewidth * page.samplesperpixel
    return page.compression in _BOUNDED or (page.compression != 1 and pixels > LARGE_PX)


def _place(tif: tifffile.TiffFile, frame: int) -> tuple[_Place, int, int]:
    """Return where a frame lies, how many planes stand behind one page (or 0), and the frames."""
    planes = _stacked(tif)
    places = [_Place("", tif.pages.first)] if planes else _places(tif)
    frames = planes or len(places)
    check_frame_number(frame, frames)
    return places[0] if planes else places[frame], planes, frames


def _decode_from(tif: tifffile.TiffFile, data: bytes, frame: int) -> tuple[Frame, int]:
    place, planes, frames = _place(tif, frame)
    page = place.page
    _check_page(page, tif.is_imagej)
    values = _plane(tif, page, data, frame) if planes else _page_values(page, data)
    if place.sample is not None:
        values = values[..., place.sample]
    pixels, notes = to_grey(_true_levels(values, page, tif))
    pixel_size, said = read_calibration(tif, page)
    metadata = {"format": "TIFF", "bit_depth": _describe(page), **said}
    if page.photometric == _WHITE_IS_ZERO:
        inverted = "stored with white as zero, inverted"
        notes = [_SCREEN_ONLY if _inverted_signed(page) else inverted, *notes]
    stored = page.imagelength, page.imagewidth
    pixels, turns = upright(pixels, _orientation(page))
    notes = [*notes, *turns]
    if notes:
        metadata["conversion"] = "; ".join(notes)
    return Frame(pixels, pixel_size, metadata, stored if turns else None), listed(frames)


def _orientation(page: tifffile.TiffPage) -> int:
    tag = page.tags.get(274)
    try:
        return 1 if tag is None else int(tag.value)
    except (TypeError, ValueError):
        return 1


def _describe(page: tifffile.TiffPage) -> str:
    kinds = {2: "signed", 3: "float"}
    grey = kinds.get(int(page.sampleformat or 1), "grey")
    return f"{page.bitspersample}-bit {'colour' if page.photometric in (_RGB, _YCBCR) else grey}"


@contextmanager
def _opened(data: bytes) -> Iterator[tifffile.TiffFile]:
    check_directories(data)
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        if not _first(tif, 1):
            raise UnreadableMicrograph(_CUT_SHORT)
        yield tif


def _first(tif: tifffile.TiffFile, count: int) -> list[tifffile.TiffPage | tifffile.TiffFrame]:
    """Return the first pages without walking to the last, of which there may be millions."""
    found: list[tifffile.TiffPage | tifffile.TiffFrame] = []
    offsets: set[int] = set()
    for index in range(count):
        try:
            page = tif.pages[index]
        except IndexError:
            break
        if page.offset in offsets:  # the directories point back at themselves
            break
        offsets.add(page.offset)
        found.append(page)
    return found


def _pages(tif: tifffile.TiffFile) -> list[tifffile.TiffPage]:
    """Return the pages that are frames, the measured one first.

    Reduced copies are left out. Olympus files put a colour preview before the measured picture,
    which alone carries the instrument's tag; JEOL's put an 8-bit copy with a bar beside it.
    """
    pages = [page for page in _first(tif, MAX_FRAMES) if isinstance(page, tifffile.TiffPage)]
    full = [page for page in pages if not page.is_reduced] or pages
    if any(is_jeol(page) for page in full):
        return sorted(full, key=lambda page: page.bitspersample <= 8)
    return sorted(full, key=lambda page: not page.is_sis)


def _stacked(tif: tifffile.TiffFile) -> int:
    """Return the number of planes behind the only page of a large ImageJ stack, else 0."""
    if not tif.is_imagej or len(_first(tif, 2)) != 1 or not tif.pages.first.is_contiguous:
        return 0
    planes = int((tif.imagej_metadata or {}).get("images", 1))
    return planes if planes > 1 else 0


def _check_page(page: tifffile.TiffPage, is_imagej: bool) -> None:
    """Refuse what would cost too much, or is no picture, before anything is decoded."""
    check_frame(page.imagelength, page.imagewidth, page.samplesperpixel)
    bits = page.imagelength * page.imagewidth * page.samplesperpixel * page.bitspersample
    check_frame_bytes(bits // 8)
    if page.is_tiled:
        check_frame(page.tilelength, page.tilewidth)
    if page.imagedepth != 1:
        raise UnreadableMicrograph("The TIFF holds a volume; export it as a stack of slices.")
    if page.compression not in _COMPRESSIONS | _BOUNDED or _is_rarely_packed(page):
        raise UnreadableMicrograph(_RARELY_COMPRESSED)
    if page.photometric not in _READABLE or (_inverted_signed(page) and not is_imagej):
        raise UnreadableMicrograph(
            "The TIFF stores its colours in a way that is not read here; export it as grey or RGB."
        )


def _is_rarely_packed(page: tifffile.TiffPage) -> bool:
    """Tell whether whole pictures fill a page whose values would mean something else."""
    inverted = page.photometric in (_WHITE_IS_ZERO, _PALETTE)
    return page.compression in _BOUNDED and (inverted or _has_two_detectors(page))


def _inverted_signed(page: tifffile.TiffPage) -> bool:
    """Tell whether white is zero among signed values or floats, which has no one meaning.

    In files of ImageJ it has: the table of the screen is inverted, the values are as stored.
    """
    return page.photometric == _WHITE_IS_ZERO and page.sampleformat not in (1, None)


def _page_values(page: tifffile.TiffPage, data: bytes) -> Values:
    """Decode one page to (H, W) or (H, W, C) when all of its data are in the file."""
    if page.is_contiguous:
        complete = page.dataoffsets[0] + page.nbytes <= len(data)
    else:
        segments = zip(page.dataoffsets, page.databytecounts, strict=True)
        complete = all(size > 0 and start + size <= len(data) for start, size in segments)
    if not complete or sum(page.databytecounts) > _MOST_SHARED * len(data):
        raise UnreadableMicrograph(_CUT_SHORT)
    if page.compression == _JPEG:
        check_jpeg_segments(page, data)
    values: Values = np.asarray(page.asarray(maxworkers=1))
    if page.samplesperpixel > 1 and page.planarconfig == _PLANES_APART:
        return np.moveaxis(values, 0, -1)
    return values


def _plane(tif: tifffile.TiffFile, page: tifffile.TiffPage, data: bytes, frame: int) -> Values:
    """Cut one plane out of the planes that follow each other behind a single page."""
    start = page.dataoffsets[0] + frame * page.nbytes
    if page.dtype is None or start + page.nbytes > len(data):
        raise UnreadableMicrograph(_CUT_SHORT)
    stored = page.dtype.newbyteorder(tif.byteorder)
    values = np.frombuffer(data, stored, page.nbytes // stored.itemsize, start)
    return values.reshape(page.shape).astype(page.dtype)


def _true_levels(values: Values, page: tifffile.TiffPage, tif: tifffile.TiffFile) -> Values:
    """Undo inverted storage and palettes, so that larger means brighter."""
    if page.photometric == _WHITE_IS_ZERO and not _inverted_signed(page):
        return _inverted(values, page.bitspersample)
    if page.photometric == _PALETTE and not (tif.is_imagej or tif.is_sem):
        return _look_up(values, page)
    return values  # ImageJ and Zeiss colour the screen only: the indices are the grey levels


def _inverted(values: Values, bits: int) -> Values:
    if values.dtype.kind == "b":
        return np.logical_not(values)
    return np.asarray(np.subtract(2**bits - 1, values, dtype=values.dtype))


def _look_up(values: Values, page: tifffile.TiffPage) -> Values:
    """Replace palette indices by their colours; eight bits when the palette holds no more."""
    palette: Values = np.asarray(page.colormap, np.uint16).T
    high, low = palette >> 8, palette & 255
    if np.array_equal(high, low) or not low.any():
        palette = high.astype(np.uint8)
    colors: Values = palette[values]
    return colors


TIFF = Decoder(_recognises, _labels, _decode)
