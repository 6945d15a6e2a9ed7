"""JPEG inside TIFF: each piece brings a size of its own, which no header of the TIFF bounds."""

from __future__ import annotations

from collections.abc import Iterator

import tifffile

from core.errors import UnreadableMicrograph

_PADDING_PX = 16  # pieces may be filled up to whole blocks
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers that state a size
_BARE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_MAX_SCANS = 100  # libjpeg's own script for progressive pictures has 10
_MAX_SCANS_OF_LARGE, _SMALL_PX = 20, 10_000_000  # a scan takes about 2 ms a megapixel
_MAX_PIECES = 200_000
_DAMAGED = "The TIFF holds a damaged JPEG; export it with LZW or without compression."


def check_jpeg_segments(page: tifffile.TiffPage, data: bytes) -> None:
    """Refuse JPEG pieces that are larger than the tile or strip they fill.

    Parameters
    ----------
    page : tifffile.TiffPage
        With JPEG compression.
    data : bytes
        The whole file.

    Raises
    ------
    UnreadableMicrograph
        If a piece states a larger size, none, or several.
    """
    if page.is_tiled:
        most = page.tilelength + _PADDING_PX, page.tilewidth + _PADDING_PX
    else:
        most = min(page.rowsperstrip, page.imagelength) + _PADDING_PX, page.imagewidth + _PADDING_PX
    if len(page.dataoffsets) > _MAX_PIECES:
        raise UnreadableMicrograph(_DAMAGED)
    if list(_sizes(page.jpegtables or b"")):
        raise UnreadableMicrograph(_DAMAGED)
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        piece = data[start : start + length]
        check_scans(piece)
        sizes = list(_sizes(piece))
        if len(sizes) != 1 or sizes[0][0] > most[0] or sizes[0][1] > most[1]:
            raise UnreadableMicrograph(_DAMAGED)


def check_scans(jpeg: bytes) -> None:
    """Refuse a JPEG of more scans than any encoder writes: each one costs a pass over all pixels.

    Raises
    ------
    UnreadableMicrograph
    """
    height, width = next(_sizes(jpeg), (0, 0))
    most = _MAX_SCANS if height * width <= _SMALL_PX else _MAX_SCANS_OF_LARGE
    if jpeg.count(b"\xff\xda") > most:
        raise UnreadableMicrograph(
            "The JPEG is made of far more scans than cameras and programs write; export it again."
        )


def _sizes(jpeg: bytes) -> Iterator[tuple[int, int]]:
    """Yield (height, width) of each frame header before the first scan."""
    at = 2
    while at + 4 <= len(jpeg):
        if jpeg[at] != 0xFF:
            return
        marker = jpeg[at + 1]
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (0xD9, 0xDA):  # end, or where the picture begins
            return
        if marker in _FRAMES and at + 9 <= len(jpeg):
            yield _uint16(jpeg, at + 5), _uint16(jpeg, at + 7)
        at += 2 + max(2, _uint16(jpeg, at + 2))


def _uint16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")
