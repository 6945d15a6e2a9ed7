"""How wide letters are, and which of them a font has."""

from __future__ import annotations

from functools import cache

from core.reporting.paper.style import MM_PER_PT

_PDF_NAMES = {
    "Helvetica": ("Helvetica", "Helvetica-Bold"),
    "Times": ("Times-Roman", "Times-Bold"),
    "Vera Sans": ("Vera", "VeraBd"),
}
# The fonts that every reader of PDF knows hold Western letters; what means the same takes a place.
_WRITTEN = {0x2212: "\u2013", 0x2009: "\u00a0", 0x202F: "\u00a0", 0x03BC: "\u00b5"}


def pdf_font(font: str, bold: bool = False) -> str:
    """Return the name under which a PDF knows a font of `FONTS`; Vera is loaded from its file."""
    if font == "Vera Sans":
        _load_vera()
    return _PDF_NAMES[font][bold]


def writable(text: str) -> str:
    """Return a line of letters as the fonts can write it: control characters go."""
    return "".join(each for each in text.translate(_WRITTEN) if each.isprintable())


def text_width_mm(text: str, font: str, size_pt: float, bold: bool = False) -> float:
    """Return how wide a line of letters is on paper."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(writable(text), pdf_font(font, bold), size_pt)) * MM_PER_PT


@cache
def _load_vera() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name in _PDF_NAMES["Vera Sans"]:
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
