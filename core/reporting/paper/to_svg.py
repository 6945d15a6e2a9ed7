"""A sheet as SVG: lines stay lines, letters stay letters."""

from __future__ import annotations

import base64
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from core.imaging.display import png_bytes
from core.reporting.paper.fonts import writable
from core.reporting.paper.sheet import HALO_SHARE, Box, Clip, Image, Item, Path, Sheet, Text
from core.reporting.paper.style import FONTS, MM_PER_PT


def svg_bytes(sheet: Sheet) -> bytes:
    """Return a sheet as an SVG file, UTF-8, of its width and height in mm.

    Pictures are PNGs within it; a layer, an outline and a label each keep a name, so that a
    drawing program lists them.
    """
    width, height = _number(sheet.width_mm), _number(sheet.height_mm)
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}" '
        f"font-family={quoteattr(FONTS[sheet.font])}>"
    )
    ground = (
        f'<rect width="{width}" height="{height}" fill="{sheet.paper}"/>' if sheet.paper else ""
    )
    clips: list[Box] = []
    body = "".join(_item(item, clips) for item in sheet.items)
    defined = "".join(
        f'<clipPath id="box{number}"><rect {_box(box)}/></clipPath>'
        for number, box in enumerate(clips)
    )
    return f"{head}<defs>{defined}</defs>{ground}{body}</svg>\n".encode()


def _item(item: Item, clips: list[Box]) -> str:
    if isinstance(item, Clip):
        number = len(clips)
        clips.append(item.box)
        inner = "".join(_item(each, clips) for each in item.items)
        return f'<g clip-path="url(#box{number})"{_id(item.name)}>{inner}</g>'
    if isinstance(item, Image):
        return _image(item)
    if isinstance(item, Path):
        return _path(item)
    return _text(item)


def _image(image: Image) -> str:
    data = base64.b64encode(png_bytes(image.pixels)).decode()
    return (
        f'<image {_box(image.box)}{_id(image.name)} preserveAspectRatio="none" '
        f'opacity="{_number(image.opacity)}" xlink:href="data:image/png;base64,{data}"/>'
    )


def _path(path: Path) -> str:
    pieces = []
    for points in path.pieces:
        corners = [f"{_number(x)} {_number(y)}" for x, y in np.asarray(points, float)]
        pieces.append("M" + "L".join(corners) + ("Z" if path.closed else ""))
    stroke = f'stroke="{path.stroke}" stroke-width="{_number(path.width_pt * MM_PER_PT)}" '
    return (
        f'<path{_id(path.name)} d="{"".join(pieces)}" fill="{path.fill or "none"}" '
        f'{stroke if path.stroke else ""}fill-opacity="{_number(path.opacity)}" '
        'fill-rule="evenodd" stroke-linejoin="round" stroke-linecap="round"/>'
    )


def _text(text: Text) -> str:
    weight = ' font-weight="bold"' if text.bold else ""
    if text.halo:
        edge = _number(HALO_SHARE * text.size_pt * MM_PER_PT)
        weight += f' stroke="{text.halo}" stroke-width="{edge}" paint-order="stroke"'
    return (
        f'<text x="{_number(text.x)}" y="{_number(text.y)}" text-anchor="{text.anchor}" '
        f'font-size="{_number(text.size_pt * MM_PER_PT)}" fill="{text.colour}"{weight}>'
        f"{escape(writable(text.text))}</text>"
    )


def _box(box: Box) -> str:
    return (
        f'x="{_number(box.left)}" y="{_number(box.top)}" '
        f'width="{_number(box.width)}" height="{_number(box.height)}"'
    )


def _id(name: str) -> str:
    return f" data-name={quoteattr(writable(name))}" if name else ""


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
