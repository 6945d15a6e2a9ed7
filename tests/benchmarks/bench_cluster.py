"""The same batch on threads and on processes of a Dask scheduler, one of which is killed.

    python -m tests.benchmarks.bench_cluster                400 small frames, four runs
    python -m tests.benchmarks.bench_cluster 60             fewer
    python -m tests.benchmarks.bench_cluster 200 large      640 x 480, one worker and two
    python -m tests.benchmarks.bench_cluster 10000 many     two workers, one killed, and resumed

Scheduler and workers are started as docs/machines.md says. Frames are windows of simulated ones,
each another; the recipe of the few measures widths, too. Every cell of the tables is compared.
`many` takes small frames and the small model, stops the batch after a third, resumes it, kills a
worker after two thirds, and compares the first rows with those of threads. CPU seconds do not
depend on what else the machine does.
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
from typing import Any

SHIPPED = "em-morph5-2"
ROOT = Path(__file__).resolve().parents[2]
FRAMES = int(sys.argv[1]) if sys.argv[1:] else 400
IS_MANY, IS_LARGE = (sys.argv[2:] == [name] for name in ("many", "large"))
SHAPE = (48, 48) if IS_MANY else (480, 640) if IS_LARGE else (240, 320)
COMPARED = 300 if IS_MANY else FRAMES
MODEL = "em-morph5" if IS_MANY else SHIPPED
_RUN = """
import json, resource, sys, time
from core.reporting.batch import run_batch
from core.reporting.recipe import Recipe
folder, out, scheduler, most, stop, resume, model = sys.argv[1:]
from pathlib import Path
files = sorted(Path(folder).iterdir())[:int(most)]
more = {"engine": "dask", "scheduler": scheduler} if scheduler else {}
recipe = Recipe(model=model, target_cluster=1, pictures=(),
                measures=() if model == "em-morph5" else ("widths",))
held, seen = [], []
def listen(done, total, name):
    seen.append(done)
    if done % max(1, total // 10) == 0:
        held.append(int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20)
    print(done, flush=True)
began, cpu = time.perf_counter(), time.process_time()
result = run_batch(files, recipe, out, on_progress=listen, resume=bool(int(resume)),
                   should_stop=lambda: len(seen) >= int(stop), **more)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
told = {"s": time.perf_counter() - began, "cpu": time.process_time() - cpu, "peak_mb": peak,
        "held": [round(mb) for mb in held], "done": len(seen), "ok": len(result.succeeded)}
print(json.dumps(told))
"""


Process = subprocess.Popen[bytes]


def main() -> None:
    """Run all cases and print what came out."""
    print(f"# {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
    print(
        f"# {FRAMES} frames of {SHAPE[1]} x {SHAPE[0]}, {MODEL}, "
        f"{'no widths' if IS_MANY else 'widths'}; no pictures kept"
    )
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_frames(place / "in")
        report("threads, one process", run(place, "threads", most=COMPARED))
        if IS_MANY:
            many(place)
        else:
            few(place)
        out = place / ("many" if IS_MANY else "threads")
        journal = (out / ".batch" / "journal.jsonl").stat().st_size
        kept = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
        print(f"journal {journal / FRAMES:.0f} bytes a frame, all files {kept / FRAMES:.0f}")


def few(place: Path) -> None:
    """Compare one worker with two, and with two of which one dies."""
    for name, count in {"one": 1, "two": 2}.items():
        with cluster(place, count) as (address, workers):
            told = run(place, name, address)
            report(f"{name} of the workers", told, place)
            print_cpu(workers, told)
    if IS_LARGE:
        return
    with cluster(place, 2) as (address, workers):
        told = run(place, "killed", address, at=FRAMES // 4, victim=workers[0])
        report(f"two, one killed after {FRAMES // 4} frames", told, place)


def many(place: Path) -> None:
    """Stop a long batch after a third, resume it, and kill a worker meanwhile."""
    third = FRAMES // 3
    with cluster(place, 2) as (address, workers):
        first = run(place, "many", address, stop=third)
        report(f"two workers, stopped after {third}", first)
        rest = run(
            *(place, "many", address), resume=True, at=2 * third, victim=workers[0], stop=FRAMES
        )
        report(f"resumed, one killed after {2 * third}", rest, place)
        print_cpu(workers[1:], {"cpu": first["cpu"] + rest["cpu"], "done": FRAMES})
        print(f"client holds, a tenth of the frames each: {first['held']} {rest['held']} MB")


def print_cpu(processes: list[Process], told: dict[str, Any]) -> None:
    """Print the CPU seconds that client, workers and, the last, the scheduler have taken."""
    *used, scheduler = (cpu_seconds(process.pid) for process in processes)
    print(
        f"  CPU: client {1e3 * told['cpu'] / told['done']:.1f} ms a frame, scheduler "
        f"{1e3 * scheduler / told['done']:.1f}, living {1e3 * sum(used) / told['done']:.1f}, "
        "all with their start",
        flush=True,
    )


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process, by Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_frames(folder: Path) -> None:
    """Write windows of simulated frames that all differ."""
    import cv2

    from core.imaging.simulation import KINDS, simulate

    folder.mkdir()
    large = [simulate(kind, shape=(1024, 1024), seed=0).micrograph.pixels for kind in KINDS]
    height, width = SHAPE
    for n in range(FRAMES):
        step = 37 * (n // len(large))
        row = step % (1024 - height)
        col = step * 7 % (1024 - width)
        window = large[n % len(large)][row : row + height, col : col + width].copy()
        window[0, :4] = list(n.to_bytes(4))  # no two are alike
        cv2.imwrite(str(folder / f"field {n:05d}.png"), window)


@contextmanager
def cluster(place: Path, count: int) -> Iterator[tuple[str, list[Process]]]:
    """Start a scheduler and workers of one thread; yield its address, them, and it as the last."""
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
        yield address, [*workers, started[0]]
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
    victim: Process | None = None,
    *,
    most: int = FRAMES,
    stop: int = FRAMES,
    resume: bool = False,
) -> dict[str, Any]:
    """Run the batch in a process of its own; kill a worker once `at` frames are done."""
    words = [str(place / "in"), str(place / name), address, str(most), str(stop), str(int(resume))]
    words.append(MODEL)
    command = [sys.executable, "-c", _RUN, *words]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    last = ""
    for line in process.stdout:
        last = line.strip() or last
        if victim is not None and last == str(at):
            victim.send_signal(signal.SIGKILL)
    if process.wait():
        raise RuntimeError(f"the batch {name} failed")
    told: dict[str, Any] = json.loads(last)
    return {**told, "name": name}


def report(words: str, told: dict[str, Any], place: Path | None = None) -> None:
    """Print a case; with a place, whether rows and regions are those of the threads."""
    line = f"{words:<36} {told['s']:6.1f} s, {told['done'] / told['s']:5.1f} frames/s, "
    line += f"client's peak {told['peak_mb']:.0f} MB, {told['ok']} rows ok"
    if place is not None:
        line += "".join(
            f", {name} {'same' if is_same(place, str(told['name']), name) else 'DIFFER'}"
            for name in ("results", "regions")
        )
    print(line, flush=True)


def is_same(place: Path, name: str, table: str) -> bool:
    """Tell whether a table is that of the threads, byte for byte, as far as these went."""
    wanted = (place / "threads" / f"{table}.csv").read_bytes()
    return (place / name / f"{table}.csv").read_bytes()[: len(wanted)] == wanted


if __name__ == "__main__":
    main()
