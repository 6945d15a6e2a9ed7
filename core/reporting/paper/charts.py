"""A chart's SVG as PDF: lines stay lines, letters stay letters."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any
from xml.etree import ElementTree

from core.errors import UserError
from core.reporting.paper.fonts import pdf_font, writable
from core.reporting.paper.style import Style
from core.reporting.paper.svg_looks import Look, colour, moves, number, reference, stated
from core.reporting.paper.svg_paths import pieces

MOST_SVG_BYTES = 12_000_000
_PX_PER_INCH = 96  # of CSS
_MOST_TILES = 4000  # of one hatch
_MOST_IMAGE_PX = 20_000_000
_MOST_DEPTH = 60
_MOST_STEPS = 400_000  # elements, corners and thousands of pixels, those of hatches and clips again
_TOO_LARGE = "The chart is too large for a PDF; save it as SVG or PNG instead."
_UNREADABLE = "The chart could not be read; save it as SVG or PNG instead."


def chart_pdf(svg: bytes, style: Style) -> bytes:
    """Return a chart that a browser drew as SVG as a PDF of its size, at 96 px an inch.

    Read are the parts of SVG that charts consist of: paths, boxes, circles, letters, pictures,
    groups, clips and hatches. Nothing is fetched; what is unknown is left out.

    Raises
    ------
    UserError
        If it is no SVG or too large.
    """
    from reportlab.pdfgen.canvas import Canvas

    root = _read(svg)
    said = stated(root)
    width, height = number(said.get("width"), 0), number(said.get("height"), 0)
    if not (0 < width < 20_000 and 0 < height < 20_000):
        raise UserError("The chart has no size; show it on the screen and save it again.")
    points = 72 / _PX_PER_INCH
    buffer = io.BytesIO()
    canvas = Canvas(buffer, (width * points, height * points), pageCompression=1, invariant=1)
    canvas.setTitle("Chart")
    canvas.setCreator("Micrographia")
    canvas.transform(points, 0, 0, -points, 0, height * points)  # y down, as in SVG
    try:
        _Chart(canvas, root, style).draw(root, Look(), 0)
    except (ArithmeticError, ValueError, RecursionError):  # of moves and curves that lead nowhere
        raise UserError(_UNREADABLE) from None
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _read(svg: bytes) -> ElementTree.Element:
    if len(svg) > MOST_SVG_BYTES:
        raise UserError(_TOO_LARGE)
    if b"<!DOCTYPE" in svg or b"<!ENTITY" in svg:
        raise UserError(_UNREADABLE)
    try:
        return ElementTree.fromstring(svg)
    except (ElementTree.ParseError, ValueError, LookupError):  # damaged, or in unknown letters
        raise UserError(_UNREADABLE) from None


def _kind(element: ElementTree.Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


class _Chart:
    """Draws elements of one SVG on a canvas."""

    def __init__(self, canvas: Any, root: ElementTree.Element, style: Style) -> None:
        self.canvas, self.style = canvas, style
        self.left = _MOST_STEPS
        self.known = {each.get("id"): each for each in root.iter() if each.get("id")}

    def draw(self, element: ElementTree.Element, parent: Look, depth: int) -> None:
        kind = _kind(element)
        if kind in ("defs", "clipPath", "pattern", "style", "title", "desc") or depth > _MOST_DEPTH:
            return
        self._spend(1)
        said = stated(element)
        look = parent.of(said)
        if look.hidden:
            return
        self.canvas.saveState()
        self._move(said)
        self._clip(said.get("clip-path", ""))
        if kind in ("g", "svg", "a"):
            if depth and kind == "svg":
                self.canvas.translate(number(said.get("x"), 0), number(said.get("y"), 0))
            for child in element:
                self.draw(child, look, depth + 1)
        elif kind == "text":
            self._letters(element, said, look)
        elif kind == "image":
            self._picture(said)
        else:
            self._shape(element, said, look)
        self.canvas.restoreState()

    def _spend(self, steps: int) -> None:
        """Count work: patterns and clips let few bytes ask for much."""
        self.left -= steps
        if self.left < 0:
            raise UserError(_TOO_LARGE)

    def _move(self, said: dict[str, str]) -> None:
        for matrix in moves(said.get("transform", "")):
            self.canvas.transform(*matrix)

    def _clip(self, text: str) -> None:
        found = self.known.get(reference(text)) if text else None
        if found is None:
            return
        path = self.canvas.beginPath()
        for child in found:
            self._trace(path, _kind(child), stated(child))
        self.canvas.clipPath(path, stroke=0, fill=0)

    def _trace(self, path: Any, kind: str, said: dict[str, str]) -> bool:
        """Add an element's outline to a path; tell whether it has one."""
        value = {key: number(text, 0) for key, text in said.items() if key in _PLACES}
        if kind == "path":
            self._spend(len(said.get("d", "")) // 8)
            return _trace_pieces(path, said.get("d", ""))
        self._spend(1)
        if kind == "rect":
            box = (value.get(key, 0) for key in ("x", "y", "width", "height"))
            path.rect(*box)
        elif kind == "circle":
            path.circle(value.get("cx", 0), value.get("cy", 0), value.get("r", 0))
        elif kind == "line":
            path.moveTo(value.get("x1", 0), value.get("y1", 0))
            path.lineTo(value.get("x2", 0), value.get("y2", 0))
        else:
            return False
        return True

    def _shape(self, element: ElementTree.Element, said: dict[str, str], look: Look) -> None:
        path = self.canvas.beginPath()
        if not self._trace(path, _kind(element), said):
            return
        if reference(look.fill):
            self._hatch(element, said, look)
        fill = colour(look.fill, look.fill_opacity * look.opacity)
        stroke = colour(look.stroke, look.stroke_opacity * look.opacity)
        stroke = stroke if look.stroke_width > 0 else None
        if fill and fill[3] > 0:
            self.canvas.setFillColorRGB(*fill[:3], alpha=fill[3])
        if stroke and stroke[3] > 0:
            self.canvas.setStrokeColorRGB(*stroke[:3], alpha=stroke[3])
            self.canvas.setLineWidth(look.stroke_width)
            if any(look.dashes):
                self.canvas.setDash(list(look.dashes))
        self.canvas.drawPath(
            path,
            stroke=bool(stroke and stroke[3] > 0),
            fill=bool(fill and fill[3] > 0),
            fillMode=0 if look.rule == "evenodd" else 1,
        )

    def _hatch(self, element: ElementTree.Element, said: dict[str, str], look: Look) -> None:
        """Lay the tiles of a pattern over an element's box, cut to its outline."""
        pattern = self.known.get(reference(look.fill))
        if pattern is None:
            return
        facts = stated(pattern)
        wide, high = number(facts.get("width"), 0), number(facts.get("height"), 0)
        box = _box_of(_kind(element), said)
        if wide <= 0 or high <= 0 or box is None:
            return
        left, top, right, bottom = box
        columns = range(int(left // wide), int(right // wide) + 1)
        rows = range(int(top // high), int(bottom // high) + 1)
        if len(columns) * len(rows) > _MOST_TILES:
            return
        self.canvas.saveState()
        outline = self.canvas.beginPath()
        self._trace(outline, _kind(element), said)
        self.canvas.clipPath(outline, stroke=0, fill=0)
        inherited = Look(opacity=look.opacity)
        for row in rows:
            for column in columns:
                self.canvas.saveState()
                self.canvas.translate(column * wide, row * high)
                for child in pattern:
                    self.draw(child, inherited, _MOST_DEPTH)  # its parts hold no others
                self.canvas.restoreState()
        self.canvas.restoreState()

    def _letters(self, element: ElementTree.Element, said: dict[str, str], look: Look) -> None:
        x, y = number(said.get("x"), 0), number(said.get("y"), 0)
        shift = _shift(said.get("dy", ""), look.font_size)
        runs: list[tuple[str, Look, float]] = []

        def write() -> None:
            self._write(runs, x, y + shift)
            runs.clear()

        def take(part: ElementTree.Element, own: Look, raised: float) -> None:
            nonlocal x, y, shift
            for text, child in [(part.text, None), *((each.tail, each) for each in part)]:
                if child is not None:
                    facts = stated(child)
                    if "x" in facts or "y" in facts:
                        write()
                        x, y = number(facts.get("x"), x), number(facts.get("y"), y)
                        shift = _shift(facts.get("dy", ""), own.font_size)
                        take(child, own.of(facts), 0.0)
                    else:
                        inner = own.of(facts)
                        take(child, inner, raised + _shift(facts.get("dy", ""), inner.font_size))
                if text and text.strip("\n"):
                    runs.append((text, own, raised))

        take(element, look, 0.0)
        write()

    def _write(self, runs: list[tuple[str, Look, float]], x: float, y: float) -> None:
        """Write pieces of one line one after the other, from x, about x or up to x."""
        widths = [
            self.canvas.stringWidth(
                writable(text), pdf_font(self.style.font, look.bold), look.font_size
            )
            for text, look, _ in runs
        ]
        anchor = runs[0][1].anchor if runs else "start"
        x -= sum(widths) * {"middle": 0.5, "end": 1.0}.get(anchor, 0.0)
        for (text, look, raised), width in zip(runs, widths, strict=True):
            ink = colour(look.fill, look.fill_opacity * look.opacity)
            if ink and ink[3] > 0:
                self.canvas.saveState()
                self.canvas.transform(1, 0, 0, -1, x, y + raised)
                self.canvas.setFillColorRGB(*ink[:3], alpha=ink[3])
                self.canvas.setFont(pdf_font(self.style.font, look.bold), look.font_size)
                self.canvas.drawString(0, 0, writable(text))
                self.canvas.restoreState()
            x += width

    def _picture(self, said: dict[str, str]) -> None:
        from PIL import Image
        from reportlab.lib.utils import ImageReader

        head, _, data = said.get("href", "").partition(",")
        if not head.startswith("data:image/") or "base64" not in head:
            return
        try:
            picture = Image.open(io.BytesIO(base64.b64decode(data)), formats=("PNG", "JPEG"))
            if picture.width * picture.height > _MOST_IMAGE_PX:
                return
            self._spend(picture.width * picture.height // 1000)
            pixels = picture.convert("RGBA")
        except (OSError, ValueError, SyntaxError, binascii.Error):
            return
        left, top, wide, high = (number(said.get(key), 0) for key in ("x", "y", "width", "height"))
        self.canvas.transform(1, 0, 0, -1, left, top + high)
        self.canvas.drawImage(ImageReader(pixels), 0, 0, wide, high, mask="auto")


_PLACES = frozenset({"x", "y", "width", "height", "cx", "cy", "r", "x1", "y1", "x2", "y2"})


def _trace_pieces(path: Any, data: str) -> bool:
    is_open = False
    for name, given in pieces(data):
        if name == "M":
            path.moveTo(*given)
            is_open = True
        elif not is_open:
            return False
        elif name == "L":
            path.lineTo(*given)
        elif name == "C":
            path.curveTo(*given)
        else:
            path.close()
    return is_open


def _box_of(kind: str, said: dict[str, str]) -> tuple[float, float, float, float] | None:
    """Return left, top, right and bottom of what an element covers at most."""
    if kind == "rect":
        x, y, wide, high = (number(said.get(key), 0) for key in ("x", "y", "width", "height"))
        return x, y, x + wide, y + high
    if kind != "path":
        return None
    places = [value for _, given in pieces(said.get("d", "")) for value in given]
    if not places:
        return None
    return min(places[::2]), min(places[1::2]), max(places[::2]), max(places[1::2])


def _shift(text: str, size: float) -> float:
    value = number(text, 0.0)
    return value * size if text.strip().endswith("em") else value
