"""`python -m tests.load.memory --mb 2700`: the app within a limit while a batch runs.

The server runs in a control group of its own with that limit, below the present one, where this
process may make one (version 1, root); else the limit is told to the app alone and watched from
outside. A visitor walks through all pages meanwhile. Ends with 1 when the server died or the batch
did not come to its end in rows and sentences.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

from core.imaging.display.saving import save_png_bytes
from core.imaging.simulation.samples import KINDS, simulate
from core.micrograph import Micrograph
from tests.load.client import LostConnection, Tab
from tests.load.server import Server, running

_ROOT = Path("/sys/fs/cgroup/memory")


@contextlib.contextmanager
def limited(mb: int) -> Iterator[Path | None]:
    """Yield a control group with a limit, None where none can be made."""
    groups = Path("/proc/self/cgroup").read_text().splitlines()
    own = next((line.split(":")[2] for line in groups if ":memory:" in line), "")
    group = _ROOT / own.lstrip("/") / f"micrographia-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(mb * 2**20))
    except OSError:
        yield None
        return
    try:
        yield group
    finally:
        for _ in range(50):
            with contextlib.suppress(OSError):
                group.rmdir()
            if not group.exists():
                break
            time.sleep(0.2)


def pack(count: int, shape: tuple[int, int]) -> bytes:
    """Return a ZIP of that many simulated micrographs, 16 bits."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for number in range(count):
            made = simulate(KINDS[number % len(KINDS)], shape=shape, seed=number).micrograph
            pixels = made.pixels.astype(np.uint16) * 257
            archive.writestr(f"field {number + 1}.png", save_png_bytes(Micrograph("", pixels)))
    return stream.getvalue()


def walk(server: Server, stop: threading.Event, troubles: list[str]) -> None:
    """Go through the pages with two samples until the batch is over."""
    try:
        tab = Tab(server.url)
        tab.open()
        for kind in ("alloys", "spheroids"):
            tab.click(f"home_sample_{kind}")
        while not stop.is_set():
            for page in list(tab.pages):
                tab.go_to(page)
                troubles += tab.troubles()
                if stop.wait(2.0):
                    break
        tab.close()
    except LostConnection as error:
        troubles.append(f"lost: {error}")


def batch(server: Server, data: bytes, peak: list[float]) -> str:
    """Run the batch and return what the page says in the end."""
    tab = Tab(server.url)
    tab.open()
    tab.go_to("Batch_Report")
    tab.upload("batch_files", ("all.zip", data))
    tab.click("batch_run_now")
    while tab.reruns:
        time.sleep(1.0)
        tab.look_again()
        peak.append(server.resident_mb())
    return tab.text().replace("\\", "")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.memory", description=__doc__)
    parser.add_argument("--mb", type=int, default=2700)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--height", type=int, default=1536)
    parser.add_argument("--width", type=int, default=2048)
    given = parser.parse_args()
    data = pack(given.count, (given.height, given.width))
    peak, troubles, stop = [0.0], [], threading.Event()
    with limited(given.mb) as group:
        env = {"MICROGRAPHIA_MEMORY_MB": str(given.mb), "OMP_WAIT_POLICY": "PASSIVE"}
        with running(env, prefix=_enter(group)) as server:
            guest = threading.Thread(target=walk, args=(server, stop, troubles))
            guest.start()
            try:
                said = batch(server, data, peak)
            except LostConnection as error:
                said = f"lost: {error}"
            stop.set()
            guest.join()
            alive = server.process.poll() is None
            most = _highest(group)
            logged = server.log.read_text().count("Traceback")
    how = "enforced by a control group" if group else "told to the app, not enforced"
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, torch {version('torch')}\n"
        f"limit {given.mb} MB, {how}; {given.count} micrographs of {given.width} × {given.height}, "
        f"16 bits, in a ZIP of {len(data) / 2**20:.0f} MB, and a visitor on all pages\n"
        f"resident at most {max(peak):.0f} MB (looked at each second){most}\n"
        f"server alive: {alive}; tracebacks in its log: {logged}\n"
        f"the visitor met: {sorted(set(troubles)) or 'no error'}\n"
        f"the batch page says: {_results(said)}"
    )
    return int(not alive or "done" not in said)


def _enter(group: Path | None) -> tuple[str, ...]:
    """Return a command that runs another one inside the group."""
    if group is None:
        return ()
    return ("sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh")


def _highest(group: Path | None) -> str:
    if group is None:
        return ""
    most = int((group / "memory.max_usage_in_bytes").read_text()) / 2**20
    refused = (group / "memory.failcnt").read_text().strip()
    return f"; the group {most:.0f} MB with the cache of files, at its limit {refused} times"


def _results(said: str) -> str:
    lines = said.splitlines()
    done = [line for line in lines if "done," in line]
    short = [line for line in lines if "memory" in line]
    return " / ".join(done[:1] + short[:2]) or said[-300:]


if __name__ == "__main__":
    sys.exit(main())
