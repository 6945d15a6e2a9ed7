"""Hostile studies, recipes' newer parts, edits, shapes, ROIs, messages of a viewer and charts.

`python -m tests.attack.doors` tries some hundreds of each; the law is that of `tests.law`. The
exit code is 1 when one breaks it.
"""

from __future__ import annotations

import copy
import functools
import io
import json
import random
import sys
import zipfile
from typing import Any

import numpy as np

from core.errors import UserError
from core.measuring.by_hand import measure_shapes, paint, read_shapes
from core.measuring.segmentation import (
    OBJECTS,
    Origin,
    Segmentation,
    from_file,
    from_objects,
    read_edits,
    replay,
)
from core.micrograph import Micrograph, PixelSize, digest_pixels
from core.reporting.paper import Panel, Style, chart_pdf, pdf_bytes, plate, png_of, svg_bytes
from core.reporting.recipe import Recipe
from core.reporting.study import open_study, study_bytes
from tests.attack.trying import Kinds, main, spoil

SIDE = 96  # px of the frame that all of it is held against
LARGE = 4000  # of the frame that work is counted on
WORDS = ("a", "", "x" * 10_000, "![x](http://a/b.png)", "=1+1", "\u202e\x1b[2J", "\ud800", "\x00")
NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 3, 7.5, 1e5, 9e5, -9e5, 1e6, 1e308, -1e308, 1e-320, 10**30, 10**400, 2**63),
    *(float("nan"), float("inf"), True, None, "5"),
)
ODD: tuple[Any, ...] = (*NUMBERS, *WORDS, [], {}, [[]], {"a": {"b": 1}}, [1] * 5000)
DIGEST = "0" * 64


@functools.cache
def frame(side: int = SIDE) -> Micrograph:
    """Return a frame of grey noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (side, side), dtype=np.uint8)
    return Micrograph("a.png", pixels, PixelSize(2.0, "nm"), sha256=digest_pixels(pixels))


def changed(dice: random.Random, good: Any, times: int) -> Any:
    """Return JSON values with some of them, at any depth, of the wrong kind, size or text."""
    value = json.loads(json.dumps(good))
    for _ in range(times):
        place = value
        while True:
            key = dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
            inner = place[key]
            if not isinstance(inner, dict | list) or not inner or dice.random() < 0.25:
                break
            place = inner
        place[key] = copy.deepcopy(dice.choice(ODD))  # else it could hold itself
        if not isinstance(value, dict | list) or not value:
            break
    return value


def _text(dice: random.Random, value: Any) -> bytes:
    data = json.dumps(value).encode()
    return spoil(dice, data) if dice.random() < 0.2 else data


@functools.cache
def _study() -> dict[str, bytes]:
    drawn = {"kind": "brush", "points": [[1, 1], [5, 5]], "phase": 1, "width_px": 4}
    notes = {"shapes": [drawn], "edits": [{"kind": "delete", "places": [[3, 3]]}]}
    data = study_bytes([frame()], title="t", samples={"a.png": "S"}, notes={frame().sha256: notes})
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def study_of(dice: random.Random) -> bytes:
    """Return a study with spoilt values, files that are others or lacking, or spoilt bytes."""
    files = dict(_study())
    for _ in range(dice.randint(1, 2)):
        name = dice.choice(list(files))
        if name.endswith(".json") and dice.random() < 0.8:
            values = json.loads(files[name]) if files[name].endswith(b"}\n") else {}
            if values:
                files[name] = json.dumps(changed(dice, values, dice.randint(1, 3))).encode()
        else:
            files[name] = dice.choice((spoil(dice, files[name]), b"", b"[" * 90_000, b"{}"))
    if dice.random() < 0.2:
        files[dice.choice(("../x", "/x", "a\\b", "x" * 5000, "study.json/x"))] = b"x"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", dice.choice((0, 8))) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
        if dice.random() < 0.1:
            packed.writestr("study.json", b"{}")
    return spoil(dice, stream.getvalue()) if dice.random() < 0.15 else stream.getvalue()


def take_study(data: bytes) -> None:
    """Open a study, its micrographs and what hands drew on them, and save it again."""
    study = open_study(data)
    study.told()
    study.rows.to_csv()
    for member in study.members:
        shapes = read_shapes(member.notes.get("shapes", []))
        if member.file:
            found = study.micrograph(member)
            measure_shapes(shapes, found.pixel_size)
            if found.pixels.size < 10**6:
                paint(shapes, found.shape)
    study_bytes(study)


def recipe_of(dice: random.Random) -> bytes:
    """Return a recipe with odd phases, strokes, samples and preparation."""
    values = json.loads(Recipe().to_json())
    stroke = [1, 5, 3, 3, 9, 9]
    way = dice.choice(("strokes", "threshold", "particles", "clusters"))
    by = {
        "way": way,
        "phases": ["a", "b"],
        "dark": True,
        "seed": 1,
        "strokes": [[DIGEST, [stroke] * dice.choice((1, 2, 2001))]] * dice.choice((1, 1, 101))
        if way == "strokes"
        else [],
    }
    values["segmentation"] = changed(dice, by, dice.randint(0, 2))
    pairs = [["a.tif", "S"], ["b.tif", dice.choice(("T", *WORDS))]]
    pairs *= dice.choice((1, 1, 1, 3000))
    values["samples"] = changed(dice, pairs, dice.randint(0, 1))
    values["prepare"] = dice.choice(
        (*ODD, *[None] * 20, "whole", "imagenet:224", "crop:10000000", "imagenet:-1")
    )
    return _text(dice, values)


def take_recipe(data: bytes) -> None:
    """Read a recipe, write it again, and read its preparation."""
    from core.learning.models import read_preparation

    recipe = Recipe.from_json(Recipe.from_json(data).to_json())
    hash(recipe)
    recipe.segmentation.describe()
    if recipe.prepare is not None:
        read_preparation(recipe.prepare)


def _edit(dice: random.Random) -> dict[str, Any]:
    def places(count: int) -> list[Any]:
        return [[dice.uniform(-5, SIDE + 5), dice.uniform(-5, SIDE + 5)] for _ in range(count)]

    kinds: tuple[dict[str, Any], ...] = (
        {"kind": "delete", "places": places(1)},
        {"kind": "merge", "places": places(3)},
        {"kind": "cut", "corners": places(dice.choice((2, 40)))},
        {"kind": "redraw", "places": places(1), "corners": places(3)},
        {"kind": "add", "corners": places(dice.choice((3, 300)))},
        {"kind": "grow", "corners": places(1), "amount": dice.choice((2, 50, 9e5))},
        {"kind": "fill", "places": places(dice.randint(0, 1))},
        {"kind": "smooth", "places": places(dice.randint(0, 1)), "amount": 50},
        {"kind": "drop_border"},
        {"kind": "keep", "limits": [["area_px", 1, dice.choice((1e9, None))]]},
        {"kind": "add", "corners": [[-9e5, -9e5], [9e5, 9e5], [-9e5, 9e5]]},
        {"kind": "cut", "corners": [[-9e5, -9e5], [9e5, 9e5]]},
    )
    return dice.choice(kinds)


def edits_of(dice: random.Random) -> bytes:
    """Return edits, sound and odd ones, few and many."""
    edits = [_edit(dice) for _ in range(dice.choice((1, 5, 40)))]
    good = {"kind": "micrographia-edits", "version": 1, "origin": {}, "edits": edits}
    return _text(dice, changed(dice, good, dice.choice((0, 0, 1, 3))))


def take_edits(data: bytes) -> None:
    """Read edits and make them on a frame of forty-nine objects."""
    edits = read_edits(data.decode("utf-8", "replace"))
    labels = np.zeros((SIDE, SIDE), np.int32)
    for number in range(49):
        row, col = divmod(number, 7)
        labels[row * 13 : row * 13 + 9, col * 13 : col * 13 + 9] = number + 1
    found = Segmentation(
        labels,
        from_objects(labels, frame()).phases,
        OBJECTS,
        Origin("file", {}, (frame().sha256,)),
        np.ones(labels.shape, np.bool_),
    )
    replay(found, edits, frame().pixels).onto(found, edits)


def shapes_of(dice: random.Random) -> bytes:
    """Return what a browser might say was drawn."""
    kind = dice.choice(("ruler", "angle", "ellipse", "polygon", "brush", "eraser", "point", "x"))
    count = dice.choice((1, 2, 3, 300, 20_000))
    points = [
        [dice.choice((dice.uniform(0, LARGE), -9e5, 9e5, 0)), dice.uniform(0, LARGE)]
        for _ in range(count)
    ]
    shape = {"kind": kind, "points": points, "name": dice.choice(WORDS), "number": 1, "phase": 2}
    shape["width_px"] = dice.choice((1, 30, 900, 9e5))
    many = [shape] * dice.choice((1, 2, 3 if count > 300 else 2500))
    return json.dumps(changed(dice, many, dice.choice((0, 1, 3)))).encode()


def take_shapes(data: bytes) -> None:
    """Read shapes, measure and write them, and paint them on a large frame."""
    shapes = read_shapes(json.loads(data))
    table = measure_shapes(shapes, PixelSize(1.0, "nm"))
    table.to_csv().encode()
    json.dumps([shape.to_dict() for shape in shapes], allow_nan=False).encode()
    paint(shapes, (LARGE, LARGE))


def labels_of(dice: random.Random) -> bytes:
    """Return label images and ROIs, sound and spoilt."""
    from core.measuring.exchange import labels_tiff, rois_zip

    made = np.zeros((SIDE, SIDE), np.int32)
    for number in range(1, dice.randint(2, 30)):
        row, col = dice.randrange(SIDE), dice.randrange(SIDE)
        made[row : row + 20, col : col + 20] = dice.choice((number, 2**20 + number))
    data = (
        labels_tiff(made)
        if dice.random() < 0.5
        else rois_zip(np.unique(made, return_inverse=True)[1].reshape(made.shape))
    )
    if dice.random() < 0.2:
        stream = io.BytesIO()
        np.save(stream, dice.choice((made, made[:5], made * 1j, made.astype(np.float64) / 3)))
        data = stream.getvalue()
    elif dice.random() < 0.5 and data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            name = packed.namelist()[0]
            data = packed.read(name)
    return data if dice.random() < 0.2 else spoil(dice, data)


def take_labels(data: bytes) -> None:
    """Read labels of a frame as the page does."""
    name = "a.zip" if data[:2] == b"PK" else "a.roi" if data[:4] == b"Iout" else "a.tif"
    from_file(data, frame(), "x.npy" if data[:2] == b"\x93N" else name)


def seen_of(dice: random.Random) -> bytes:
    """Return what a browser might say a viewer shows, and how figures look."""
    good = {
        "seen": {
            "of": frame().sha256,
            "box": [dice.choice((0, 5.5, -9e9)), 0, dice.choice((50, 1e300)), 60],
            "mode": dice.choice(("plain", "side", "x")),
            "windows": {"base": {"black": 0, "white": dice.choice((0, 255)), "gamma": 1}},
            "layers": {dice.choice(WORDS): {"shown": True, "opacity": 2}},
        },
        "style": {
            "width_mm": dice.choice((85, 20, 400, 1e9, -1)),
            "dpi": dice.choice((300, 600, 1e9)),
            "font": "Times",
            "text_pt": dice.choice((4, 24, 1e9)),
            "line_pt": dice.choice((0.25, 6, 0)),
            "theme": "Dark",
        },
        "name": dice.choice(WORDS),
        "shapes": [{"kind": "ruler", "points": [[0, 0], [9, 9]], "name": dice.choice(WORDS)}],
    }
    return json.dumps(changed(dice, good, dice.choice((0, 1, 3)))).encode()


def take_seen(data: bytes) -> None:
    """Make the figure that a browser asks for: PNG, SVG and PDF."""
    from xml.etree import ElementTree

    from core.ui.parts.paper.cropping import on_screen
    from core.ui.parts.viewer.seen import read_seen

    said = json.loads(data)
    seen = read_seen(said.get("seen"), frame())
    if seen is None:
        raise UserError("The viewer shows another micrograph. Open the figure again.")
    picture = on_screen(frame().pixels[seen.rows, seen.columns], seen.windows.get("base"))
    panel = Panel(
        picture,
        frame().pixel_size,
        shapes=read_shapes(said.get("shapes")),
        name=str(said.get("name")),
    )
    sheet = plate([panel], Style.read(said.get("style")))
    png_of(sheet)
    pdf_bytes(sheet)
    ElementTree.fromstring(svg_bytes(sheet))


def chart_of(dice: random.Random) -> bytes:
    """Return what a browser might send as the SVG of a chart."""

    def number() -> str:
        return dice.choice(
            ("1", "-5", "300", "1e5", "1e308", "1e400", "-1e308", "nan", "", "1%", "0")
        )

    def part(depth: int) -> str:
        box = " ".join(f'{name}="{number()}"' for name in ("x", "y", "width", "height", "r"))
        move = f"rotate({number()}) translate({number()})"
        look = (
            f'fill="{dice.choice(("red", "#12", "#123456", "url(#p)", "rgb(1e400,-5,9)", "none"))}"'
            f' stroke="#000" stroke-width="{number()}" stroke-dasharray="{number()},{number()}"'
            f' opacity="{number()}" font-size="{number()}"'
            f' clip-path="{dice.choice(("", "url(#p)", "url(#none)"))}"'
            f' transform="{dice.choice(("", "scale(0)", "matrix(1e9 0 0 0 0 0)", move))}"'
        )
        path = " ".join(
            f"{dice.choice('MLHVCSQTAZmlhvcsqtaz')} {' '.join(number() for _ in range(7))}"
            for _ in range(dice.choice((1, 5, 50)))
        )
        tspan = f"<tspan dy='{number()}em'>b" * 3 + "</tspan>" * 3
        kinds = (
            f"<rect {box} {look}/>",
            f"<circle {box} {look}/>",
            f'<path d="M0 0 {path}" {look}/>',
            f"<text {box} {look}>{dice.choice(('a', 'é漢', 'x' * 9000))}{tspan}</text>",
            f'<image {box} href="data:image/png;base64,{dice.choice(("AAAA", "é", "x"))}"/>',
            f'<image {box} href="http://127.0.0.1:9/a.png"/><use href="#p"/>',
        )
        if depth and dice.random() < 0.5:
            return f"<g {look}>" + "".join(part(depth - 1) for _ in range(3)) + "</g>"
        return dice.choice(kinds)

    inner = "".join(part(3) for _ in range(dice.choice((1, 5, 30))))
    tile = part(1) if dice.random() < 0.5 else '<rect width="1" height="1" fill="url(#p)"/>'
    wide = dice.choice(("1", "0.01", "9"))
    defs = f'<defs><pattern id="p" width="{wide}" height="1">{tile * 3}</pattern></defs>'
    deep = dice.choice((0, 0, 50, 5000))
    body = "<g>" * deep + inner + "</g>" * deep
    head = dice.choice(("", "", "", "<!DOCTYPE x [<!ENTITY a 'b'>]>"))
    size = dice.choice(("700", "700", "700", "1e9", "0", "nan"))
    text = f'{head}<svg width="{size}" height="450">{defs}{body}</svg>'
    data = text.encode("utf-16" if dice.random() < 0.05 else "utf-8")
    return spoil(dice, data) if dice.random() < 0.1 else data


def take_chart(data: bytes) -> None:
    """Make the PDF."""
    chart_pdf(data, Style())


KINDS: Kinds = {
    "studies": (study_of, take_study, 500),
    "recipes": (recipe_of, take_recipe, 500),
    "edits": (edits_of, take_edits, 500),
    "shapes": (shapes_of, take_shapes, 300),
    "labels": (labels_of, take_labels, 500),
    "figures": (seen_of, take_seen, 300),
    "charts": (chart_of, take_chart, 500),
}


if __name__ == "__main__":
    sys.exit(main(KINDS, __doc__))
