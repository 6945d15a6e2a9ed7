"""Kill a batch at random moments and go on: `python -m tests.attack.kill --moments 20`.

The law: whenever it was killed, the batch that goes on ends in the very bytes of one that was not
interrupted; the report may lie inside the folder it is about. The exit code is 1 when it does not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MICROGRAPHS = 24
PLACES = ("", ".", "report", "deep/report")  # of the report in its input; "" is elsewhere
SCRIPT = """
import sys
from core.reporting.batch import pipeline
pipeline.GROUP = 4
from core.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def prepare(folder: Path) -> tuple[Path, Path]:
    """Return a folder of small micrographs, one of them twice, and one of models."""
    from tests.pages.small_model import save_small_model
    from tests.unit.reporting.conftest import png

    models, given = folder / "models", folder / "in"
    given.mkdir()
    save_small_model(models)
    for seed in range(MICROGRAPHS):
        (given / f"field {seed:02d}.png").write_bytes(png(seed))
    (given / "field 05 again.png").write_bytes(png(5))
    (given / "field 07.txt").write_text("[SemImageFile]\r\nPixelSize=2.5\r\n")
    (given / "broken.tif").write_bytes(b"II*\x00")
    return given, models


def begin(given: Path, out: Path, models: Path) -> subprocess.Popen[bytes]:
    """Start or go on with a batch in a process of its own."""
    command = [sys.executable, "-c", SCRIPT, "batch", str(given), "--out", str(out), "--resume"]
    environment = os.environ | {"MICROGRAPHIA_MODELS": str(models), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def kill_at(process: subprocess.Popen[bytes], wait_s: float) -> bool:
    """Kill it so long after its first micrograph; return whether it was still at work."""
    assert process.stderr is not None
    process.stderr.readline()
    time.sleep(wait_s)
    was_at_work = process.poll() is None
    process.kill()
    process.stderr.close()
    process.wait(30)
    return was_at_work


def contents(out: Path) -> dict[str, str]:
    """Return the digest of every file of a report; of the manifest without its times."""
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in files_of(out)}
    manifest = json.loads(found["manifest.json"])
    manifest.pop("times")
    found["manifest.json"] = json.dumps(manifest).encode()
    return {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def files_of(out: Path) -> list[Path]:
    """Return the files that the batch wrote, also where the micrographs lie among them."""
    tables = ("results.csv", "results.parquet", "regions.csv", "recipe.json", "manifest.json")
    folders = ("overlays", "masks", "maps", ".batch")
    found = [path for path in out.rglob("*") if path.is_file()]
    return [
        path
        for path in found
        if path.relative_to(out).parts[0] in (*tables, "report.html", *folders)
    ]


def trial(
    given: Path, models: Path, out: Path, expected: dict[str, str], wait_s: float
) -> list[str]:
    """Kill a batch, go on to its end; return the files that differ from an undisturbed one's."""
    kill_at(begin(given, out, models), wait_s)
    finish(given, out, models)
    found = contents(out)
    return sorted(name for name in expected | found if expected.get(name) != found.get(name))


def finish(given: Path, out: Path, models: Path) -> None:
    """Run a batch, or the rest of it, to its end."""
    process = begin(given, out, models)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 3, told  # one micrograph is broken


def run(folder: Path, moments: int, seed: int, longest_s: float) -> Iterator[tuple[str, list[str]]]:
    """Yield where the report lay and what differed, trial by trial.

    Parameters
    ----------
    longest_s : float
        Longest time in seconds between the first micrograph and the end.
    """
    dice = random.Random(seed)
    original, models = prepare(folder)
    whole = folder / "whole"
    finish(original, whole, models)
    expected = contents(whole)
    for number in range(moments):
        place = PLACES[number % len(PLACES)]
        given = folder / f"given {number}"
        shutil.copytree(original, given)  # with the times of its files, which stamps hold
        out = given / place if place else folder / f"out {number}"
        yield place, trial(given, models, out, expected, dice.uniform(0, longest_s))


def main() -> int:
    """Run as many trials as asked, the report in turn elsewhere, below and in the input itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest-s", type=float, default=1.5)
    options = parser.parse_args()
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        trials = run(Path(folder), options.moments, options.seed, options.longest_s)
        for number, (place, differ) in enumerate(trials, start=1):
            broken += bool(differ)
            where = f"in/{place}" if place else "elsewhere"
            print(f"{number:3} {where:16} {differ or 'same bytes'}", flush=True)
    print(f"{options.moments} moments, {broken} with other bytes")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
