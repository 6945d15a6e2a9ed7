"""Hostile recipes, tables of labels and archives: `python -m tests.attack.generators`.

The law: each is read, or refused with a `UserError` in a sentence; nothing takes 5 seconds or 1 GB.
The exit code is 1 when one breaks it.
"""

from __future__ import annotations

import io
import json
import random
import struct
import sys
import zipfile

from core.errors import UserError
from core.reporting.batch import match_labels, read_labels
from core.reporting.batch.sources import list_sources
from core.reporting.recipe import Recipe
from tests.attack.trying import Kinds, main, spoil
from tests.law import is_sentence

ODD: tuple[object, ...] = (
    *(None, True, -1, 0, 10**400, 1e308, float("nan"), float("inf"), "", "x" * 10_000, "\ud800"),
    *("../../etc/passwd", "=cmd|' /C calc'!A0", "![x](http://a/b.png)", "\x00", "\u202e", [], {}),
    *([[]] * 50, {"a": {"b": {}}}, [1e-320], ["overlays"] * 3, "folder:99", "metadata:" + "x" * 99),
)


def recipe_of(dice: random.Random) -> bytes:
    """Return a recipe with spoilt values, fields, or bytes."""
    values = json.loads(Recipe().to_json())
    for _ in range(dice.randint(1, 4)):
        name = dice.choice([*values, "unknown", "filters"])
        values[name] = dice.choice(ODD)
        if name == "filters":
            steps = ("gaussian", "flat_field", "median", "nothing", 5)
            given = {dice.choice(("sigma_px", "other", "x")): dice.choice(ODD)}
            step = {"filter": dice.choice(steps), "parameters": dice.choice((given, ODD[0], []))}
            values["filters"] = [step] * dice.choice((1, 2, 40))
    text = json.dumps(values).encode()
    return spoil(dice, text) if dice.random() < 0.3 else text


def labels_of(dice: random.Random) -> bytes:
    """Return a table of labels with odd dividers, quotes, encodings, headings or sizes."""
    divider = dice.choice((",", ";", "\t", "|", ",,", " "))
    ends = dice.choice(("\n", "\r\n", "\r", "\n\n", "\x0b", ""))
    cells = ("name", "label", "true_label", "a.png", "alloys", '"', "'", "\x00", "", "é", "=1+1")
    rows = dice.choice((0, 1, 5, 500, 60_000 if dice.random() < 0.1 else 50))
    lines = (
        divider.join(dice.choices(cells, k=dice.choice((1, 2, 2, 3, 40)))) for _ in range(rows)
    )
    head = dice.choice(("name,label", "name;label", "label\tname", "", "\ufeff", '"name'))
    text = head + ends + ends.join(lines) + dice.choice(("", '"' + "x" * 200_000))
    encoding = dice.choice(("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be", "cp1252"))
    data = text.encode(encoding, errors="replace")
    return spoil(dice, data) if dice.random() < 0.3 else data


def archive_of(dice: random.Random) -> bytes:
    """Return a ZIP with odd names, lies about sizes, bombs, reports, or cut and changed bytes."""
    stream = io.BytesIO()
    names = ("a.png", "../../x.png", "/etc/x.tif", "C:\\x.png", "a/b/c.png", "a.txt", "b/a.txt", "")
    names += ("report/manifest.json", "report/overlays/0001_a.png", "x" * 5000 + ".png", ".hid.png")
    names += ("__MACOSX/a.png", "in.zip", "a.png\x00.txt", "\ud7ff.png", "a_1.ser", "a.emi")
    contents = (
        b"",
        b"II*\x00",
        b"\x89PNG\r\n\x1a\n",
        b"PK\x03\x04",
        bytes(1 << 20),
        b"P5 2 1 255 ab",
    )
    with zipfile.ZipFile(stream, "w", dice.choice((0, 8, 12, 14))) as archive:
        for _ in range(dice.choice((0, 1, 3, 20, 200))):
            entry = zipfile.ZipInfo(dice.choice(names) or "n")
            archive.writestr(entry, dice.choice(contents), dice.choice((0, 8)))
    data = bytearray(stream.getvalue())
    place = data.rfind(b"PK\x01\x02")
    if place >= 0 and dice.random() < 0.4:  # the directory lies about a size
        struct.pack_into("<I", data, place + dice.choice((20, 24)), dice.choice((0, 2**32 - 1, 7)))
    return spoil(dice, bytes(data)) if dice.random() < 0.5 else bytes(data)


def take_recipe(data: bytes) -> None:
    """Read a recipe and write it again."""
    Recipe.from_json(Recipe.from_json(data).to_json())


def take_labels(data: bytes) -> None:
    """Read a table and hold it against a batch."""
    match_labels(read_labels(data), {1: "a.png", 2: "b.png"}, {"alloys": "alloys"}).sentence()


def take_archive(data: bytes) -> None:
    """List an archive and read what is in it, as a batch does; a refused file is the answer."""
    refused: UserError | None = None
    for source in list_sources([("given.zip", data)]):
        source.stamp()
        try:
            source.read()
        except UserError as error:
            if not is_sentence(str(error)):
                raise ValueError(f"no sentence: {str(error)[:200]!r}") from error
            refused = error
    if refused is not None:
        raise refused


KINDS: Kinds = {
    "recipes": (recipe_of, take_recipe, 2000),
    "labels": (labels_of, take_labels, 500),
    "archives": (archive_of, take_archive, 500),
}


if __name__ == "__main__":
    sys.exit(main(KINDS, __doc__))
