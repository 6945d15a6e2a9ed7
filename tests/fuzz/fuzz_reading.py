"""Spoil files by the thousand and read them: `python -m tests.fuzz.fuzz_reading --inputs 20000`.

The law: a file is read, or refused with `UnreadableMicrograph` and a sentence; no other exception,
no end of the process, nothing over 5 seconds or 1 GB. What breaks it is kept in a folder, and the
exit code is 1.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import UnreadableMicrograph
from core.imaging.reading.archive import read_archive
from core.imaging.reading.instruments.worker import WORKER
from core.imaging.reading.opening import frame_labels, read_micrograph
from tests.fuzz.mutations import mutate
from tests.fuzz.seeds import all_seeds
from tests.law import MOST_BYTES, Tally, summary

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


BESIDE = {"emi": {"_1.ser": "ser"}, "ser": {".emi": "emi"}}  # what belongs to what
_SOUND = b"P5\n20 24\n255\n" + bytes(480)
NAMES = {"emi": "f.emi", "ser": "f_1.ser"}


@dataclass(frozen=True)
class Spoilt:
    """One input."""

    kind: str
    data: bytes
    beside: dict[str, bytes]
    frame: int


def run(
    inputs: int,
    seed: int,
    keep: Path | None = None,
    report_every: int = 0,
    only: Sequence[str] = (),
) -> dict[str, Tally]:
    """Read spoilt files, the formats in turn; return a tally per format."""
    random = np.random.default_rng(seed)
    seeds = all_seeds(SHARED)
    others = [data for files in seeds.values() for data in files]
    tallies: dict[str, Tally] = defaultdict(Tally)
    formats = sorted(only or seeds)
    floor_bytes = held_before()
    for number in range(inputs):
        kind = formats[number % len(formats)]
        start = seeds[kind][int(random.integers(0, len(seeds[kind])))]
        how, data = mutate(random, start, others)
        beside = {
            f"f{end}": _any(random, seeds, other) for end, other in BESIDE.get(kind, {}).items()
        }
        frame = int(random.integers(0, 3))
        problem = try_one(tallies[kind], Spoilt(kind, data, beside, frame), floor_bytes)
        if problem:
            print(f"{kind} {how}: {problem}", flush=True)
            digest = hashlib.sha256(data).hexdigest()[:12]
            tallies[kind].broken.append(f"{digest} {how}: {problem}")
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{kind}-{digest}.bin").write_bytes(data)
        if report_every and (number + 1) % report_every == 0:
            print(f"{number + 1} inputs", flush=True)
    return dict(tallies)


def held_before() -> int:
    """Return what the process holds before the first input, torch say, and forget its peak."""
    _reset_peak("self")
    return _status_bytes("self", "VmRSS")


def _any(random: np.random.Generator, seeds: dict[str, list[bytes]], kind: str) -> bytes:
    files = seeds.get(kind, [b"none"])
    return files[int(random.integers(0, len(files)))]


def try_one(tally: Tally, spoilt: Spoilt, floor_bytes: int = 0) -> str:
    """Read one input; return what broke the law, "" when nothing did."""
    before = WORKER.process_id
    read = _read_archive if spoilt.kind == "zip" else _read
    problem = tally.attempt(lambda: read(spoilt), UnreadableMicrograph)
    if before is not None and WORKER.process_id != before:
        tally.process_ends += 1  # allowed, that is what it is for; counted all the same
    return problem or _memory_problem(floor_bytes)


def _read(spoilt: Spoilt) -> str:
    if spoilt.kind == "settings":
        endings = (".txt", "-pgm.hdr")
        beside = {f"f{end}": spoilt.data for end in endings}
        return "" if read_micrograph(_SOUND, "f.pgm", companions=beside).pixels.size else "empty"
    name = NAMES.get(spoilt.kind, "f.bin")
    labels = frame_labels(spoilt.data, name, companions=spoilt.beside)
    frame = min(spoilt.frame, len(labels) - 1)
    micrograph = read_micrograph(spoilt.data, name, frame=frame, companions=spoilt.beside)
    return "" if micrograph.pixels.size else "an empty picture"


def _read_archive(spoilt: Spoilt) -> str:
    labels = [label for label, _ in read_archive(spoilt.data)]
    return "a path as a label" if any("/" in label for label in labels) else ""


def _memory_problem(floor_bytes: int) -> str:
    """Tell whether an input made this process or the decoding one hold too much (Linux only)."""
    for name, floor in (("self", floor_bytes), (WORKER.process_id, 0)):
        peak = _status_bytes(name, "VmHWM") - floor
        if peak > MOST_BYTES:
            _reset_peak(name)
            return f"{'app' if name == 'self' else 'decoding process'} held {peak / 1e9:.2f} GB"
    return ""


def _status_bytes(process: object, entry: str) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(entry)), 0)


def _reset_peak(process: object) -> None:
    """Forget the peak, so that the next input answers for itself."""
    try:
        Path(f"/proc/{process}/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        WORKER.close()


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for inputs that break the law")
    parser.add_argument("--only", nargs="+", default=(), help="formats, such as tiff dm")
    options = parser.parse_args()
    started_s = time.monotonic()
    tallies = run(options.inputs, options.seed, options.keep, 1000, options.only)
    print(summary(tallies))
    print(f"{time.monotonic() - started_s:.0f} s")
    return 1 if any(tally.broken for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
