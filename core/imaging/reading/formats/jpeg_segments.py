"""What a JPEG announces, read before it is decoded.

Inside TIFF each piece brings a size of its own, which no header of the TIFF bounds.
"""

from __future__ import annotations

import tifffile

from core.errors import UnreadableMicrograph

_PADDING_PX = 16  # pieces may be filled up to whole blocks
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers that state a size
_BARE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_MAX_SCANS = 100  # libjpeg's own script for progressive pictures has 10
_MAX_SCANS_OF_LARGE, _SMALL_PX = 20, 10_000_000  # a scan takes about 2 ms a megapixel
_MAX_PIECES = 200_000
_MAX_MARKERS = 2_000  # before the first scan: cameras write some 20, large profiles 255
_MAX_MARKERS_OF_PIECES = 1_000_000  # of all pieces of a TIFF together
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
    if _walk(page.jpegtables or b"")[0]:
        raise UnreadableMicrograph(_DAMAGED)
    walked = 0
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        piece = data[start : start + length]
        sizes, markers = _walk(piece)
        walked += markers
        _check_scans(piece, sizes)
        if len(sizes) != 1 or sizes[0][0] > most[0] or sizes[0][1] > most[1]:
            raise UnreadableMicrograph(_DAMAGED)
        if walked > _MAX_MARKERS_OF_PIECES:
            raise UnreadableMicrograph(_DAMAGED)


def check_jpeg(jpeg: bytes) -> tuple[int, int]:
    """Return the (height, width) that a JPEG states, (0, 0) where it states none.

    Raises
    ------
    UnreadableMicrograph
        If it has more scans than any encoder writes, each of which costs a pass over all pixels,
        or more segments before them than anyone has reason to write.
    """
    sizes, _ = _walk(jpeg)
    _check_scans(jpeg, sizes)
    return sizes[0] if sizes else (0, 0)


def _check_scans(jpeg: bytes, sizes: list[tuple[int, int]]) -> None:
    height, width = sizes[0] if sizes else (0, 0)
    most = _MAX_SCANS if height * width <= _SMALL_PX else _MAX_SCANS_OF_LARGE
    if jpeg.count(b"\xff\xda") > most:
        raise UnreadableMicrograph(
            "The JPEG is made of far more scans than cameras and programs write; export it again."
        )


def _walk(jpeg: bytes) -> tuple[list[tuple[int, int]], int]:
    """Return (height, width) of each frame header before the first scan, and how many markers."""
    sizes: list[tuple[int, int]] = []
    at, markers = 2, 0
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] not in (0xD9, 0xDA):
        markers += 1
        if markers > _MAX_MARKERS:
            raise UnreadableMicrograph(
                "The JPEG has far more segments than cameras and programs write; export it again."
            )
        marker = jpeg[at + 1]
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES and at + 9 <= len(jpeg):
            sizes.append((_uint16(jpeg, at + 5), _uint16(jpeg, at + 7)))
        at += 2 + max(2, _uint16(jpeg, at + 2))
    return sizes, markers


def _uint16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")
