"""The app in a process of its own, and how much memory it takes. Linux only: reads /proc."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.conftest import _free_port, _wait

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Server:
    """A running app."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def resident_mb(self) -> float:
        """Return the memory of the process and of its children, in MB."""
        return sum(
            _resident_kb(pid) for pid in (self.process.pid, *_children(self.process.pid))
        ) / (1024)

    def cpu_s(self) -> float:
        """Return the processor time used so far, without that of children."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """End it at once, as a crash or an out-of-memory killer would."""
        self.process.kill()
        self.process.wait(20)


@contextmanager
def running(
    env: Mapping[str, str] | None = None, port: int = 0, prefix: tuple[str, ...] = ()
) -> Iterator[Server]:
    """Start the app and wait until it answers; end it in the end.

    Parameters
    ----------
    env : mapping
        Variables on top of the present ones.
    port : int
        0 takes a free one.
    prefix : tuple of str
        A command to run it with.
    """
    port = port or _free_port()
    command = [*prefix, sys.executable, "-m", "streamlit", "run", str(ROOT / "Home.py")]
    command += ["--server.headless", "true", "--server.address", "localhost"]
    command += ["--server.port", str(port), "--server.fileWatcherType", "none"]
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        log = Path(folder) / "server.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait(f"http://localhost:{port}/_stcore/health", process, log)
            yield Server(port, process, log)
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:  # it ends its work first
                process.kill()


def _resident_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
    except OSError:  # it has ended meanwhile
        pass
    return 0


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return found
