"""Everything that a page of a TIFF states about its scale: each maker is asked, all must agree.

Only statements about the specimen count. The resolution tags of a plain TIFF speak of print and
are ignored, as is any unit that is not a length (a diffraction pattern has none in real space).
Where a maker's tag is read: see `core.imaging.scale.makers`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import tifffile

from core.imaging.scale.makers import fei, jeol, ome, programs, tescan, zeiss
from core.imaging.scale.makers.jeol import is_jeol
from core.imaging.scale.statements import Statement, settle
from core.imaging.scale.units import Calibration, only_stated

__all__ = ["is_jeol", "read_calibration"]

_DESCRIBED_PAGES = 4
_OF_A_PAGE = (
    fei.read_fei,
    fei.read_fei_xml,
    zeiss.read_zeiss,
    zeiss.read_atlas,
    tescan.read_tescan,
    programs.read_tvips,
    programs.read_openfibsem,
    programs.read_serialem,
    programs.read_digital_micrograph,
)


def read_calibration(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> Calibration:
    """Return pixel size and instrument fields as far as the file states them for a page.

    Parameters
    ----------
    tif : tifffile.TiffFile
    page : tifffile.TiffPage
        The frame asked for.

    Returns
    -------
    pixel_size : PixelSize or None
        None when the file says nothing about the specimen, speaks of a picture of another size,
        contradicts itself, or its pixels are not square.
    fields : dict
        Of voltage_kv, working_distance_mm, magnification, detector, instrument, date, time
        those that are stated, and calibration: who states the scale, or why there is none.
    """
    statements = list(_statements(tif, page))
    pixel_size, fields = settle(statements, page.imagewidth, page.imagelength)
    return pixel_size, only_stated(fields)


def _statements(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> Iterator[Statement]:
    for read in _OF_A_PAGE:
        yield from read(page)
    if tif.is_ome:
        yield from ome.read_ome(tif.ome_metadata or "", page)
    elif tif.is_imagej and page.shape[:2] == tif.pages.first.shape[:2]:  # all its pages are alike
        yield from programs.read_imagej(tif.imagej_metadata or {}, page)
    pages = _few(page, tif)
    described = next((other for other in pages if is_jeol(other)), None)
    if described is not None:
        yield from jeol.read_sightx(described.description, page)
    yield from programs.read_olympus(pages, page)


def _few(page: tifffile.TiffPage, tif: tifffile.TiffFile) -> list[tifffile.TiffPage]:
    """Return a page and the first ones of its file: a description may stand on another page."""
    found = [page]
    for index in range(_DESCRIBED_PAGES):
        with contextlib.suppress(IndexError):
            other = tif.pages[index]
            found += [other] if isinstance(other, tifffile.TiffPage) else []
    return found
