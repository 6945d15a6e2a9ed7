"""A sheet as PNG, drawn from its PDF: both show the same."""

from __future__ import annotations

import io
import threading

from core.reporting.paper.sheet import Sheet
from core.reporting.paper.to_pdf import pdf_bytes

_ONE_AT_A_TIME = threading.Lock()  # PDFium is not made for several threads


def png_of(sheet: Sheet) -> bytes:
    """Return a sheet as a PNG of exactly `width_px` × `height_px` that states its resolution."""
    import pypdfium2
    from PIL import Image

    content = pdf_bytes(sheet)
    with _ONE_AT_A_TIME:
        document = pypdfium2.PdfDocument(content)
        try:
            page = document[0]
            clear = sheet.paper is None
            # PDFium rounds sizes up: a hair less keeps the last row out that rounding would add.
            bitmap = page.render(
                scale=(sheet.width_px - 0.01) / page.get_width(),
                fill_color=(255, 255, 255, 0 if clear else 255),
                maybe_alpha=clear,
                rev_byteorder=True,
                no_smoothimage=True,
            )
            picture = bitmap.to_pil().convert("RGBA" if clear else "RGB")
        finally:
            document.close()
    if picture.size != (sheet.width_px, sheet.height_px):
        picture = picture.resize((sheet.width_px, sheet.height_px), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", dpi=(sheet.dpi, sheet.dpi), compress_level=4)
    return buffer.getvalue()
