"""Hostile recipes, tables of labels and archives: `python -m tests.attack.generators`.

The law: each is read, or refused with a `UserError` in a sentence; nothing takes 5 seconds or 1 GB.
The exit code is 1 when one breaks it.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import struct
import sys
import warnings
import zipfile
from collections.abc import Callable
from functools import partial

from core.errors import UserError
from core.reporting.batch import match_labels, read_labels
from core.reporting.batch.sources import list_sources
from core.reporting.recipe import Recipe
from tests.law import MOST_BYTES, Tally, is_sentence, summary

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
    return _spoil(dice, text) if dice.random() < 0.3 else text


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
    return _spoil(dice, data) if dice.random() < 0.3 else data


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
    return _spoil(dice, bytes(data)) if dice.random() < 0.5 else bytes(data)


def _spoil(dice: random.Random, data: bytes) -> bytes:
    """Return bytes cut short, changed, doubled or with something put in."""
    spoilt = bytearray(data)
    way = dice.randrange(4)
    if way == 0 or not spoilt:
        return bytes(spoilt[: dice.randint(0, len(spoilt))])
    if way == 1:
        for _ in range(dice.randint(1, 8)):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        return bytes(spoilt)
    if way == 2:
        return bytes(spoilt + spoilt)
    place = dice.randrange(len(spoilt))
    return bytes(
        spoilt[:place] + dice.choice((b"[" * 50_000, b"\xff\xfe", b'"', b"\x00")) + spoilt[place:]
    )


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


KINDS: dict[str, tuple[Callable[[random.Random], bytes], Callable[[bytes], None], int]] = {
    "recipes": (recipe_of, take_recipe, 2000),
    "labels": (labels_of, take_labels, 500),
    "archives": (archive_of, take_archive, 500),
}


def run(kind: str, inputs: int, seed: int) -> Tally:
    """Try so many inputs of a kind."""
    make, take, _ = KINDS[kind]
    tally = Tally()
    for number in range(inputs):
        data = make(random.Random(f"{kind} {seed} {number}"))
        problem = tally.attempt(partial(take, data))
        if problem:
            tally.broken.append(f"{number}: {problem}")
    return tally


def main() -> int:
    """Run all kinds and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of zipfile, for names that occur twice
    tallies = {kind: run(kind, inputs, options.seed) for kind, (_, _, inputs) in KINDS.items()}
    print(summary(tallies))
    print({kind: f"{len(tally.sentences)} sentences" for kind, tally in tallies.items()})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"peak memory {peak / 1e6:.0f} MB")
    return int(any(tally.broken for tally in tallies.values()) or peak > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
