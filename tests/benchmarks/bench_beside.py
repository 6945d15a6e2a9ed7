"""How long an answer takes beside threads of Python that are at work, as other visitors' pages are.

    python -m tests.benchmarks.bench_beside

Each operation of torch or NumPy lets go of the interpreter and waits until it has it again. The
network is asked step by step and in one call; beside both, grouping by grey level, which is many
calls of NumPy, is timed at the pages' switch interval and at Python's own.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from core.imaging.simulation import simulate
from core.learning.models import load_model
from core.measuring.clustering import cluster_gray
from core.ui.page.warm_up import _SWITCH_S

PYTHONS_S = 0.005


def main() -> None:
    """Print seconds alone and beside one and two threads at work."""
    torch.set_num_threads(1)
    print(f"# {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
    frame = simulate("dendrites", shape=(512, 640), seed=3).micrograph
    model = load_model("em-morph5-2")
    x = model.prepare(frame)
    works: dict[str, Callable[[], object]] = {
        "network, step by step": lambda: model.network.features(x),  # type: ignore[operator]
        "network, one call": lambda: model.features(x),
        "seven clusters of grey": lambda: cluster_gray(frame, 7),
    }
    print(f"{'s':26}{'alone':>9}{'beside 1':>10}{'beside 2':>10}{'times':>8}")
    for switch_s in (PYTHONS_S, _SWITCH_S):
        print(f"switch interval {1e3 * switch_s:g} ms")
        for name, work in works.items():
            took = [_seconds(work, busy, switch_s) for busy in (0, 1, 2)]
            print(
                f"  {name:24}{took[0]:9.3f}{took[1]:10.3f}{took[2]:10.3f}{took[2] / took[0]:8.1f}"
            )


def _seconds(work: Callable[[], object], busy: int, switch_s: float) -> float:
    """Return the median of three runs; of long ones, the first."""
    took: list[float] = []
    with torch.no_grad(), _busy(busy, switch_s):
        while len(took) < 3 and sum(took) < 5:
            began = time.perf_counter()
            work()
            took.append(time.perf_counter() - began)
    return sorted(took)[len(took) // 2]


@contextmanager
def _busy(count: int, switch_s: float) -> Iterator[None]:
    """Let threads of Python count while this one works."""
    before, over = sys.getswitchinterval(), threading.Event()
    sys.setswitchinterval(switch_s)

    def work() -> None:
        n = 0
        while not over.is_set():
            n += 1

    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(before)


if __name__ == "__main__":
    main()
