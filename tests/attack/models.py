"""Hostile weight files and cards: each is read, or refused in a sentence, within 5 s and 1 GB.

`python -m tests.attack.models --count 2000` writes what came of them beside this file. All are
opened by one child process, whose memory is limited beyond what PyTorch itself takes.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import random
import resource
import struct
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.law import MOST_BYTES, Tally, is_sentence, summary

MAGIC = 0x1950A86A20F9469CFC6C
Hostile = tuple[str, bytes]
_SIZES = (0, 1, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1)
_NAMES = (
    *("builtins bytearray", "builtins set", "builtins list", "builtins range", "_codecs encode"),
    *("collections OrderedDict", "collections Counter", "collections defaultdict", "posix system"),
    *("torch zeros", "torch Size", "torch FloatStorage", "torch.storage UntypedStorage"),
    *("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "numpy zeros"),
)


def long_int(value: int) -> bytes:
    data = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def old_form(body: bytes) -> bytes:
    """A file before PyTorch 1.6 with these opcodes as its content."""
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    head = b"".join(pickle.dumps(each, protocol=2) for each in (MAGIC, 1001, machine))
    return head + b"\x80\x02" + body + b"." + pickle.dumps([], protocol=2)


def packed(body: bytes) -> bytes:
    """The same as an archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + body + b".")
        archive.writestr("a/byteorder", b"little")
        archive.writestr("a/data/0", bytes(64))
    return stream.getvalue()


def tensor(draw: random.Random) -> bytes:
    """Opcodes of {"a": a view of any size}."""

    def number() -> bytes:
        return long_int(draw.choice(_SIZES) * draw.choice((1, 1, -1)))

    key, word = b"X\1\0\0\x000", b"X\7\0\0\0storage"
    storage = b"(" + word + b"ctorch\nFloatStorage\n" + key + b"X\3\0\0\0cpu" + number() + b"tQ"
    sides = draw.randint(0, 3)
    shape, strides = (b"(" + b"".join(number() for _ in range(sides)) + b"t" for _ in range(2))
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number() + shape + strides
    return b"}X\1\0\0\0a" + call + b"\x89N" + b"tRs"


def calls(draw: random.Random) -> bytes:
    """A call of something with a huge number, text or list."""
    module, name = draw.choice(_NAMES).split()
    given = draw.choice((long_int(draw.choice(_SIZES)), b"]", b"X\xff\xff\xff\x7f", b"(K\1K\2l"))
    return f"c{module}\n{name}\n".encode() + given + b"\x85R"


def laughs(draw: random.Random) -> bytes:
    """Lists of lists, each named many times."""
    body, times = b"(]q\0", draw.randint(2, 200)
    for place in range(draw.randint(2, 200)):
        body += b"](" + (b"h" + bytes([place])) * times + b"eq" + bytes([place + 1])
    return body + b"t"


def nested(draw: random.Random) -> bytes:
    deep = draw.choice((10, 1000, 100_000))
    return draw.choice((b"]" * deep + b"a" * (deep - 1), b"(" * deep + b"t" * deep))


def repeated(draw: random.Random) -> bytes:
    part = draw.choice((b"N", b"}", b"]", b"K\1", b")", b"G" + struct.pack(">d", draw.random())))
    return b"](" + part * draw.choice((1000, 300_000, 2_000_000)) + b"e"


def mutated(draw: random.Random, good: bytes) -> bytes:
    data = bytearray(good)
    for _ in range(draw.choice((1, 4, 30))):
        data[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(data[: draw.choice((len(data), len(data), draw.randrange(len(data))))])


def safetensors(draw: random.Random) -> bytes:
    entry = {
        "dtype": draw.choice(("F32", "F8_E4M3", "F64", "I64", "BOOL", "X")),
        "shape": [draw.choice(_SIZES) for _ in range(draw.randint(0, 4))],
        "data_offsets": [0, draw.choice(_SIZES)],
    }
    header = json.dumps({"a" * draw.choice((1, 100_000)): entry}).encode()
    size = draw.choice((len(header), *_SIZES[1:-1]))
    return struct.pack("<Q", size) + header + bytes(draw.choice((0, 4, 4096)))


def card(draw: random.Random, good: dict[str, Any]) -> dict[str, Any]:
    """A card with one or two values of the wrong kind, size or text, at any depth."""
    odd = (None, True, -1, 1e308, 10**30, "", "a | b", "![x](http://a/b.png)", "x" * 10_000)
    odd += ([], {}, [[[1]]], {"a": {"b": 1}}, "\u202e\x1b[2J", list(range(5000)))
    changed = json.loads(json.dumps(good))
    for _ in range(draw.randint(1, 2)):
        place: Any = changed
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw.choice(keys)
            inner = place[key]
            if not isinstance(inner, dict | list) or not inner or draw.random() < 0.3:
                break
            place = inner
        place[key] = draw.choice(odd)
    return changed


def hostile(count: int, seed: int, folder: Path) -> Iterator[Hostile]:
    """Yield the kind and the bytes of files, the same for the same seed."""
    draw = random.Random(seed)
    good = folder / "weights.safetensors"
    ours = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    ours["preparation"] |= {"area_px": 64 * 64}
    bodies = (tensor, calls, laughs, nested, repeated)
    for number in range(count):
        if number % 4 == 3:
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w") as archive:
                archive.writestr("m/card.json", json.dumps(card(draw, ours)))
                archive.write(good, "m/weights.safetensors")
                archive.write(good.with_name("reference.safetensors"), "m/reference.safetensors")
            yield "card", stream.getvalue()
        elif number % 4 == 2:
            yield draw.choice((("safetensors", safetensors(draw)), ("bytes", _bytes(draw))))
        else:
            make = bodies[draw.randrange(len(bodies))]
            body = make(draw)
            yield make.__name__, packed(body) if draw.random() < 0.5 else old_form(body)


def _bytes(draw: random.Random) -> bytes:
    return mutated(draw, draw.choice((packed, old_form))(tensor(draw)))


def open_all(count: int, seed: int, folder: Path) -> None:
    """In the child: open each file; write a line of JSON for each."""
    from core.errors import UserError
    from core.learning.adding import add_model

    before = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = before + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    with tempfile.TemporaryDirectory() as place:
        os.environ["MICROGRAPHIA_ADDED_MODELS"] = place
        path = Path(place) / "given"
        for kind, data in hostile(count, seed, folder):
            path.write_bytes(data)
            began = time.process_time()
            try:
                add_model(path, "given.pth")
                said, came = "", "read"
            except UserError as error:
                said, came = str(error), "refused"
            except BaseException as error:  # what the law forbids
                said, came = f"{type(error).__name__}: {error}"[:300], "fault"
            took = time.process_time() - began
            print(json.dumps([kind, came, said, round(took, 2)]), flush=True)


def attack(count: int, seed: int, folder: Path) -> list[list[Any]]:
    """Return [kind, what came of it, what was said, seconds of a processor] for each file."""
    import subprocess

    command = [sys.executable, "-m", "tests.attack.models", "--child", str(folder)]
    done = subprocess.run(
        [*command, "--count", str(count), "--seed", str(seed)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(lines) < count:
        raise RuntimeError(f"file {len(lines)} ended the process: {done.stderr[-2000:]}")
    return lines


def main() -> int:
    """Run all, and return 1 where one broke the law."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=Path)
    options = parser.parse_args()
    if options.child:
        open_all(options.count, options.seed, options.child)
        return 0
    folder = Path(__file__).parents[2] / "models" / "em-morph5"
    tallies = tally_up(attack(options.count, options.seed, folder))
    text = f"seed {options.seed}\n{summary(tallies)}\n"
    Path(__file__).with_suffix(".txt").write_text(text, encoding="utf-8")
    print(text)
    return int(any(tally.broken for tally in tallies.values()))


def tally_up(lines: list[list[Any]]) -> dict[str, Tally]:
    """Return a tally per kind of file."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for number, (kind, came, said, took) in enumerate(lines):
        tally = tallies[kind]
        tally.inputs += 1
        tally.read += came == "read"
        tally.refused += came == "refused"
        tally.sentences[said[:40]] += came == "refused"
        sound = came == "read" or (came == "refused" and is_sentence(said))
        problem = tally.time(took) if sound else said
        if problem:
            tally.broken.append(f"{number}: {problem}")
    return tallies


if __name__ == "__main__":
    sys.exit(main())
