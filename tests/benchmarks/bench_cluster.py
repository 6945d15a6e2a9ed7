"""The same batch on threads and on processes of a Dask scheduler, one of which is killed.

    python -m tests.benchmarks.bench_cluster         400 small frames, four runs
    python -m tests.benchmarks.bench_cluster 60      fewer; only threads, and two workers less one

Scheduler and workers are started as docs/machines.md says. Frames are simulated, each another one;
the recipe measures widths, too. Every cell of the tables is compared.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRAMES = int(sys.argv[1]) if sys.argv[1:] else 400
SHAPE = (160, 192)
_RUN = """
import json, resource, sys, time
from dataclasses import replace
from core.reporting.batch import run_batch
from core.reporting.recipe import Recipe
folder, out, scheduler = sys.argv[1:]
more = {"engine": "dask", "scheduler": scheduler} if scheduler else {}
recipe = Recipe(target_cluster=1, measures=("widths",), pictures=())
began = time.perf_counter()
listen = lambda done, total, name: print(done, flush=True)
result = run_batch([folder], recipe, out, on_progress=listen, **more)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
told = {"s": time.perf_counter() - began, "peak_mb": peak, "ok": len(result.succeeded)}
print(json.dumps(told))
"""


def main() -> None:
    """Run all cases and print what came out."""
    print(f"# {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
    print(f"# {FRAMES} frames of {SHAPE[1]} x {SHAPE[0]}, default model, widths; no pictures kept")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_frames(place / "in")
        report("threads, one process", run(place, "threads"))
        for name, count in {"one": 1, "two": 2}.items() if not sys.argv[1:] else ():
            with cluster(place, count) as (address, _):
                report(f"{name} of the workers", run(place, name, address), place)
        with cluster(place, 2) as (address, workers):
            told = run(place, "killed", address, at=FRAMES // 4, victim=workers[0])
            report(f"two, one killed after {FRAMES // 4} frames", told, place)
        journal = (place / "threads" / ".batch" / "journal.jsonl").stat().st_size
        kept = sum(p.stat().st_size for p in (place / "threads").rglob("*") if p.is_file())
        print(f"journal {journal / FRAMES:.0f} bytes a frame, all files {kept / FRAMES:.0f}")


def write_frames(folder: Path) -> None:
    """Write frames that all differ."""
    import cv2

    from core.imaging.simulation import KINDS, simulate

    folder.mkdir()
    kinds = list(KINDS)
    for n in range(FRAMES):
        pixels = simulate(kinds[n % len(kinds)], shape=SHAPE, seed=n).micrograph.pixels
        cv2.imwrite(str(folder / f"field {n:04d}.png"), pixels)


@contextmanager
def cluster(place: Path, count: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and workers of one thread; yield its address and them."""
    file = place / f"scheduler {time.monotonic_ns()}.json"
    dask = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    options = ["--scheduler-file", str(file), "--no-dashboard"]
    where = ["--host", "127.0.0.1"]
    started = [subprocess.Popen([*dask, "scheduler", *where, "--port", "0", *options], **quiet)]
    try:
        while not file.is_file() or not file.read_text():
            time.sleep(0.2)
        work = [*dask, "worker", *where, "--nthreads", "1", "--no-nanny", *options]
        workers = [subprocess.Popen(work, **quiet) for _ in range(count)]
        started += workers
        address = json.loads(file.read_text())["address"]
        wait_for(address, count)
        yield address, workers
    finally:
        for process in started:
            process.kill()
            process.wait()


def wait_for(address: str, count: int) -> None:
    """Wait until so many workers answer."""
    from dask import distributed

    with distributed.Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=120)


def run(
    place: Path,
    name: str,
    address: str = "",
    at: int = 0,
    victim: subprocess.Popen[bytes] | None = None,
) -> dict[str, float]:
    """Run the batch in a process of its own; kill a worker once `at` frames are done."""
    command = [sys.executable, "-c", _RUN, str(place / "in"), str(place / name), address]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    last = ""
    for line in process.stdout:
        last = line.strip() or last
        if victim is not None and last == str(at):
            victim.send_signal(signal.SIGKILL)
    if process.wait():
        raise RuntimeError(f"the batch {name} failed")
    told: dict[str, float] = json.loads(last)
    return {**told, "name": name}  # type: ignore[dict-item]


def report(words: str, told: dict[str, float], place: Path | None = None) -> None:
    """Print a case; with a place, how many cells differ from those of the threads."""
    line = f"{words:<36} {told['s']:6.1f} s, {FRAMES / told['s']:5.1f} frames/s, "
    line += f"client's peak {told['peak_mb']:.0f} MB, {told['ok']} of {FRAMES} ok"
    if place is not None:
        first = (place / "threads" / "results.csv").read_bytes()
        same = first == (place / str(told["name"]) / "results.csv").read_bytes()
        regions = (place / "threads" / "regions.csv").read_bytes()
        alike = regions == (place / str(told["name"]) / "regions.csv").read_bytes()
        line += f", rows {'same' if same else 'DIFFER'}, regions {'same' if alike else 'DIFFER'}"
    print(line, flush=True)


if __name__ == "__main__":
    main()
