"""Every benchmark, one after the other, each beside its peers in the same run.

Run as `python -m tests.benchmarks` on a machine that does nothing else (about half an hour), or
with names, as `python -m tests.benchmarks texture clustering`. What a benchmark prints is written
beside it, under a heading with versions, cores and date; README.md here quotes these files.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from datetime import date
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BENCHMARKS = (  # the quick ones first
    *("clustering", "explain", "filters", "phases", "classify", "texture", "app"),
    *("ground_truth", "overlays", "batch", "coverage"),
)
PEERS = ("numpy", "torch", "opencv-python-headless", "scikit-image", "scikit-learn", "streamlit")


def heading() -> str:
    """Return what a figure depends on: machine, versions, date and other work."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PEERS)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return (
        f"# {platform.machine()}, {os.cpu_count()} cores, load {load}, Python "
        f"{platform.python_version()}, {date.today():%Y-%m-%d}\n# {versions}\n"
    )


def run(name: str) -> bool:
    """Run one benchmark; show what it prints and keep it, unless it fails."""
    command = [sys.executable, "-m", f"tests.benchmarks.bench_{name}"]
    said, began, top = [], time.perf_counter(), heading()
    print(f"\n== {name} ==\n{top}", end="", flush=True)
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            said.append(line)
    if process.returncode:
        print(f"{name} failed ({process.returncode}); the file beside it stays", file=sys.stderr)
        return False
    took = f"# took {time.perf_counter() - began:.0f} s\n"
    (HERE / f"bench_{name}.txt").write_text(top + "".join(said) + took, encoding="utf-8")
    return True


def main() -> int:
    """Run those that were named, or all; return 1 when one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or BENCHMARKS
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    failed = [name for name in names if not run(name)]
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
