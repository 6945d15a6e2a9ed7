"""A sheet as PDF: lines stay lines, letters stay letters."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from core.reporting.paper.fonts import pdf_font, writable
from core.reporting.paper.sheet import HALO_SHARE, Clip, Image, Item, Path, Sheet, Text
from core.reporting.paper.style import MM_PER_PT


def pdf_bytes(sheet: Sheet) -> bytes:
    """Return a sheet as a PDF of one page of its size; the same sheet gives the same bytes."""
    from reportlab.pdfgen.canvas import Canvas

    size = sheet.width_mm / MM_PER_PT, sheet.height_mm / MM_PER_PT
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size, pageCompression=1, invariant=1)
    canvas.setTitle("Figure")
    canvas.setCreator("Micrographia")
    canvas.setLineJoin(1)
    canvas.setLineCap(1)
    if sheet.paper:
        canvas.setFillColor(sheet.paper)
        canvas.rect(0, 0, *size, stroke=0, fill=1)
    for item in sheet.items:
        _draw(canvas, item, sheet)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _draw(canvas: Any, item: Item, sheet: Sheet) -> None:
    if isinstance(item, Clip):
        canvas.saveState()
        around = canvas.beginPath()
        around.rect(*_rectangle(item.box, sheet))
        canvas.clipPath(around, stroke=0, fill=0)
        for each in item.items:
            _draw(canvas, each, sheet)
        canvas.restoreState()
    elif isinstance(item, Image):
        _draw_image(canvas, item, sheet)
    elif isinstance(item, Path):
        _draw_path(canvas, item, sheet)
    else:
        _draw_text(canvas, item, sheet)


def _draw_image(canvas: Any, image: Image, sheet: Sheet) -> None:
    from PIL import Image as Pictures
    from reportlab.lib.utils import ImageReader

    pixels = image.pixels
    if pixels.shape[2:] == (4,) and image.opacity < 1:
        pixels = pixels.copy()
        pixels[..., 3] = np.rint(pixels[..., 3] * image.opacity)
    picture = ImageReader(Pictures.fromarray(np.ascontiguousarray(pixels)))
    canvas.drawImage(picture, *_rectangle(image.box, sheet), mask="auto")


def _draw_path(canvas: Any, path: Path, sheet: Sheet) -> None:
    drawn = canvas.beginPath()
    for points in path.pieces:
        for at, (x, y) in enumerate(np.asarray(points, float)):
            (drawn.lineTo if at else drawn.moveTo)(x / MM_PER_PT, (sheet.height_mm - y) / MM_PER_PT)
        if path.closed:
            drawn.close()
    if path.stroke:
        canvas.setStrokeColor(path.stroke)
        canvas.setLineWidth(path.width_pt)
    if path.fill:
        canvas.setFillColor(path.fill)
        canvas.setFillAlpha(path.opacity)
    canvas.drawPath(drawn, stroke=bool(path.stroke), fill=bool(path.fill), fillMode=0)
    canvas.setFillAlpha(1)


def _draw_text(canvas: Any, text: Text, sheet: Sheet) -> None:
    canvas.setFont(pdf_font(sheet.font, text.bold), text.size_pt)
    canvas.setFillColor(text.colour)
    write = {
        "start": canvas.drawString,
        "middle": canvas.drawCentredString,
        "end": canvas.drawRightString,
    }[text.anchor]
    words = text.x / MM_PER_PT, (sheet.height_mm - text.y) / MM_PER_PT, writable(text.text)
    if text.halo:
        canvas.setStrokeColor(text.halo)
        canvas.setLineWidth(HALO_SHARE * text.size_pt)
        write(*words, mode=1)
    write(*words, mode=0)


def _rectangle(box: Any, sheet: Sheet) -> tuple[float, float, float, float]:
    """Return left, bottom, width and height in points from the page's lower left corner."""
    bottom = sheet.height_mm - box.top - box.height
    return (
        box.left / MM_PER_PT,
        bottom / MM_PER_PT,
        box.width / MM_PER_PT,
        box.height / MM_PER_PT,
    )
