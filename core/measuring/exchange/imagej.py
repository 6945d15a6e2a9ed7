"""Regions as ROIs of ImageJ (a ZIP for its ROI Manager), and such ROIs as regions."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import roifile
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.reading import archive
from core.measuring.exchange.labels import ReadLabels
from core.measuring.exchange.polygons import Outline, fill_rings, filling_work, trace_labels

MOST_ROIS = 100_000
_MOST_BYTES = 32_000_000  # of one ROI
_MOST_WORK = 2_000_000_000  # pixels and crossings looked at: some ten seconds
_MOST_SHARED_PX = 32_767  # ImageJ keeps corners as signed 16 bits; beyond, as floats
_CURVE_STEPS = 16
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same labels always give the same bytes
_EMPTY_ZIP = b"PK\x05\x06"  # the end of a directory at once: a frame without regions
_OUTLINED = ("POLYGON", "FREEHAND", "TRACED")
_NO_ROI = "“{name}” holds no regions that ImageJ saved. In its ROI Manager choose More › Save."


def rois_zip(labels: NDArray[np.integer], names: Sequence[str] | None = None) -> bytes:
    """Return regions as a ZIP of ROIs: open it in ImageJ, Fiji or QuPath's ROI import.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integers
        0 where there is nothing.
    names : sequence of str, optional
        One per label in ascending order; their numbers by default.

    Returns
    -------
    bytes
        Polygons along the edges of the pixels, so that ImageJ measures the same pixels; composite
        ROIs where a region has holes or several parts. Their files are numbered in order.
    """
    outlines = trace_labels(labels)
    called = names or [f"{outline.label}" for outline in outlines]
    if len(called) != len(outlines):
        raise ValueError(f"{len(outlines)} labels have {len(called)} names")
    digits = max(4, len(str(len(outlines))))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, (outline, name) in enumerate(zip(outlines, called, strict=True), 1):
            entry = zipfile.ZipInfo(f"{number:0{digits}d}.roi", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, _to_roi(outline, name).tobytes())
    return buffer.getvalue()


def _to_roi(outline: Outline, name: str) -> Any:
    """Return a region as a ROI: a traced polygon where one ring is enough."""
    if outline.is_simple:
        ring = outline.rings[0]
        wide = ring.max() > _MOST_SHARED_PX
        roi = roifile.ImagejRoi.frompoints(ring.astype(np.float32) if wide else ring, name=name)
        roi.roitype = roifile.ROI_TYPE.TRACED
    else:
        roi = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.RECT, name=name)
        roi.multi_coordinates = np.concatenate([_path(ring) for ring in outline.rings])
        roi.shape_roi_size = roi.multi_coordinates.size
    corners = np.concatenate(outline.rings)
    (roi.left, roi.top), (roi.right, roi.bottom) = corners.min(0).tolist(), corners.max(0).tolist()
    roi.options = roi.options & roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    return roi


def _path(ring: NDArray[Any]) -> NDArray[np.float32]:
    """Return a ring as Java's path: 0 x y moves, 1 x y draws a line, 4 closes."""
    moves = np.concatenate([np.ones((len(ring), 1)), ring], axis=1).astype(np.float32)
    moves[0, 0] = 0
    return np.append(moves.ravel(), np.float32(4))


def read_rois(data: bytes, shape: tuple[int, int], name: str = "ROIs") -> ReadLabels:
    """Return the regions of an ImageJ ROI set (.zip), or of one ROI (.roi).

    Parameters
    ----------
    data : bytes
        The whole file. It may be hostile: entries, bytes and work are bounded.
    shape : (H, W)
        Of the micrograph that the ROIs belong to.
    name : str
        For the sentences about it.

    Returns
    -------
    ReadLabels
        Polygons, traced and freehand outlines, rectangles, ovals and composite ROIs, in the order
        of the file. A pixel belongs to a ROI that holds its centre, and to the first of several.
        Lines, points, angles and text are left out, and so is what lies outside of the frame; the
        notes say how many.

    Raises
    ------
    UserError
        If the file is no ROI set, too large, or nothing of it is a region of this frame.
    """
    shapes = [_read_roi(content, label, name) for label, content in _files(data, name)]
    if not shapes:
        raise UserError(_NO_ROI.format(name=name))
    return _paint([found for found in shapes if found], shape, name, shapes.count(None))


def _files(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the ROIs of a set, or the one there is."""
    if data[:4] == b"Iout":
        yield "", data
    elif archive.is_archive(data) and not data.startswith(_EMPTY_ZIP):
        for entry in archive.open_archive(data, name, most_entries=MOST_ROIS):
            if entry.label.lower().endswith(".roi"):
                yield entry.label, entry.read()


def _read_roi(content: bytes, label: str, name: str) -> tuple[str, list[NDArray[Any]]] | None:
    """Return a ROI's name and rings; None where it holds no area."""
    if len(content) > _MOST_BYTES:
        raise UserError(
            f"A region in “{name}” takes {len(content) / 1e6:.0f} MB. Export the regions as a "
            "label image (TIFF) instead."
        )
    try:
        roi = roifile.ImagejRoi.frombytes(content)
        rings = _rings_of(roi)
    except Exception as error:  # the package raises whatever broken bytes lead it to
        raise UserError(
            f"A region in “{name}” is damaged ({label or 'the only one'}). Save the regions anew "
            "in ImageJ's ROI Manager."
        ) from error
    rings = [ring for ring in rings if len(ring) > 2]
    if not rings or not all(np.isfinite(ring).all() for ring in rings):
        return None
    return roi.name or label.removesuffix(".roi"), rings


def _rings_of(roi: Any) -> list[NDArray[Any]]:
    """Return the closed lines of a ROI; none where it is a line, a point or text."""
    kind, sub = roi.roitype.name, roi.subtype.name
    if sub in ("TEXT", "IMAGE", "ARROW"):
        return []
    if roi.multi_coordinates is not None:
        return _paths(roi.multi_coordinates.tolist())
    if (
        kind == "FREEHAND"
        and sub in ("ELLIPSE", "ROTATED_RECT")
        and roi.integer_coordinates is None
    ):
        return []
    if kind in _OUTLINED:
        return [np.asarray(roi.coordinates(), np.float64)]
    left, top, right, bottom = _box(roi)
    if kind == "RECT":
        return [np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)]
    if kind == "OVAL":
        angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
        across, down = (right - left) / 2, (bottom - top) / 2
        x, y = left + across * (1 + np.cos(angle)), top + down * (1 + np.sin(angle))
        return [np.stack([x, y], axis=1)]
    return []


def _box(roi: Any) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom, between pixels where the ROI says so."""
    if roi.subpixelrect:
        return roi.xd, roi.yd, roi.xd + roi.widthd, roi.yd + roi.heightd
    return roi.left, roi.top, roi.right, roi.bottom


def _paths(path: list[float]) -> list[NDArray[np.float64]]:
    """Return the rings of Java's path; curves become chords."""
    rings: list[list[tuple[float, float]]] = []
    at = 0
    while at < len(path):
        kind = int(path[at])
        numbers = {0: 2, 1: 2, 2: 4, 3: 6, 4: 0}[kind]
        values = path[at + 1 : at + 1 + numbers]
        points = list(zip(values[::2], values[1::2], strict=True))
        if kind == 0:
            rings.append(points)
        elif kind in (1, 2, 3):
            rings[-1] += _curve([rings[-1][-1], *points])
        at += 1 + numbers
    return [np.array(ring, np.float64) for ring in rings]


def _curve(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a Bézier curve after its first point as chords; of two points only the last."""
    if len(points) == 2:
        return points[1:]
    now = np.repeat(np.array(points, np.float64)[:, None], _CURVE_STEPS, axis=1)
    share = (np.arange(1, _CURVE_STEPS + 1) / _CURVE_STEPS)[:, None]
    while len(now) > 1:
        now = now[:-1] * (1 - share) + now[1:] * share
    return [(float(x), float(y)) for x, y in now[0]]


def _paint(
    shapes: list[tuple[str, list[NDArray[Any]]]], shape: tuple[int, int], name: str, lines: int
) -> ReadLabels:
    """Number the pixels of the shapes, earlier ones on top."""
    if sum(filling_work(rings, shape) for _, rings in shapes) > _MOST_WORK:
        raise UserError(
            f"“{name}” holds more outlines than can be filled in a reasonable time. Save fewer "
            "regions, or export them as a label image (TIFF)."
        )
    labels = np.zeros(shape, np.int32)
    names: list[str] = []
    outside = shared = 0
    for called, rings in shapes:
        rows, cols, inside = fill_rings(rings, shape)
        part = labels[rows, cols]
        free = inside & (part == 0)
        shared += int(np.count_nonzero(inside) > np.count_nonzero(free))
        if not free.any():
            outside += not inside.any()
            continue
        names.append(called)
        part[free] = len(names)
    if not names:
        raise UserError(
            f"No region of “{name}” lies on this micrograph ({shape[1]} × {shape[0]} pixels). Load "
            "the micrograph that the regions were drawn on."
        )
    return ReadLabels(labels, tuple(names), _notes(lines, outside, shared))


def _notes(lines: int, outside: int, shared: int) -> tuple[str, ...]:
    notes = {
        "Lines, points and text were left out: {n}.": lines,
        "Regions outside of the frame were left out: {n}.": outside,
        "Regions that overlap earlier ones, which keep the shared pixels: {n}.": shared,
    }
    return tuple(words.format(n=number) for words, number in notes.items() if number)
