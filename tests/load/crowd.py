"""Many visitors at once on a real server, and a report of what they met."""

from __future__ import annotations

import itertools
import os
import platform
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tests.load.attack import Attacked, Attacker, Honest
from tests.load.client import Tab
from tests.load.pictures import prepare
from tests.load.server import ROOT, Server, running
from tests.load.visitors import Notes, Visitor
from tests.pages.small_model import save_small_model

SHIPPED, SMALL, PARTICLES = "em-morph5-2", "small", "em-particles"
WARM_P95_S = 0.5  # the bar, on 2 cores that nobody else uses


@dataclass(slots=True, eq=False)
class Outcome:
    """What a run of visitors met."""

    visitors: int
    seconds: float
    think_s: float
    notes: Notes = field(default_factory=Notes)
    memory: list[tuple[float, float]] = field(default_factory=list)  # (s, MB)
    log_troubles: list[str] = field(default_factory=list)
    server_cpu_s: float = 0.0
    visitors_cpu_s: float = 0.0
    attacked: Attacked | None = None

    def seconds_of(self, *, warm: bool) -> np.ndarray:
        """Return how long interactions took."""
        return np.array([i.seconds for i in self.notes.interactions if i.is_warm == warm])


@contextmanager
def models_of_both_kinds() -> Iterator[Path]:
    """Yield a folder with the shipped models and a small one of another architecture."""
    with tempfile.TemporaryDirectory(prefix="load-models-") as place:
        folder = Path(place)
        save_small_model(folder)
        (folder / SHIPPED).rename(folder / SMALL)
        for name in (SHIPPED, PARTICLES):
            shutil.copytree(ROOT / "models" / name, folder / name)
        yield folder


def visit(
    visitors: int,
    seconds: float,
    *,
    think_s: float = 10.0,
    pictures: int = 24,
    once: bool = False,
    seed: int = 0,
    attack: bool = False,
) -> Outcome:
    """Let visitors use the app for a while, or for one visit each, and return what they met.

    With `attack` there are two more: one who attacks, and one whose model and result must last.
    """
    with models_of_both_kinds() as folder:
        os.environ["MICROGRAPHIA_MODELS"] = str(folder)
        known = prepare(pictures, (SHIPPED, SMALL), seed)
        with running({"MICROGRAPHIA_MODELS": str(folder), "OMP_WAIT_POLICY": "PASSIVE"}) as server:
            if not once:
                _warm_up(server)
            outcome = Outcome(visitors, seconds, think_s)
            until = time.monotonic() + seconds
            people = [
                Visitor(
                    number,
                    server.url,
                    known,
                    (SHIPPED, SMALL),
                    outcome.notes,
                    until=until,
                    think_s=think_s,
                    once=once,
                    seed=seed,
                )
                for number in range(1, visitors + 1)
            ]
            more: list[threading.Thread] = []
            if attack:
                outcome.attacked = Attacked()
                more = [one(server.url, outcome.attacked, until) for one in (Honest, Attacker)]
            _watch(server, [*(person.thread for person in people), *more], outcome)
            return outcome


def _warm_up(server: Server) -> None:
    """Let one guest see every page with each model, so that libraries are loaded."""
    guest = Tab(server.url)
    guest.open()
    guest.click("home_sample_spheroids")
    for model in (SHIPPED, SMALL):
        guest.choose("settings_model", model)
        for page in list(guest.pages):
            guest.go_to(page)
    guest.close()


def _watch(server: Server, people: list[threading.Thread], outcome: Outcome) -> None:
    """Let them in, and note memory and processor time until the last one has gone."""
    notes, cpu, own = outcome.notes, server.cpu_s(), _own_cpu_s()
    for person in people:
        person.start()
    while any(person.is_alive() for person in people):
        outcome.memory.append((time.monotonic() - notes.began, server.resident_mb()))
        time.sleep(1.0)
    outcome.server_cpu_s, outcome.visitors_cpu_s = server.cpu_s() - cpu, _own_cpu_s() - own
    text = server.log.read_text(errors="replace")
    outcome.log_troubles = text.split("Traceback")[1:]
    outcome.seconds = time.monotonic() - notes.began


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def report(outcome: Outcome) -> str:
    """Return the findings as text."""
    notes = outcome.notes
    lines = [
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, load average before the "
        f"end {os.getloadavg()[1]:.1f}, Python {platform.python_version()}, Streamlit "
        f"{version('streamlit')}, torch {version('torch')}",
        f"{outcome.visitors} visitors, {outcome.seconds / 60:.1f} minutes, between two "
        f"interactions {outcome.think_s:g} s on average; models {SHIPPED} and {SMALL}",
        f"{len(notes.interactions)} interactions in {notes.visits} visits, {notes.messages} "
        f"messages, {notes.bytes_seen / 1e6:.0f} MB; {notes.checked} results checked",
        f"processor: server {outcome.server_cpu_s / outcome.seconds:.2f} cores, visitors "
        f"{outcome.visitors_cpu_s / outcome.seconds:.2f} cores",
        "",
        f"{'interaction':28} {'count':>6} {'p50 (s)':>8} {'p95 (s)':>8} {'most':>8}",
    ]
    lines += [_line("all warm ones", outcome.seconds_of(warm=True))]
    lines += [_line("all cold ones", outcome.seconds_of(warm=False))]
    names = sorted({i.name for i in notes.interactions})
    for name in names:
        for warm in (True, False):
            took = [i.seconds for i in notes.interactions if (i.name, i.is_warm) == (name, warm)]
            if took:
                lines.append(_line(f"{name}{'' if warm else ' (cold)'}", np.array(took)))
    lines += [_line("batch, start to report", np.array(notes.batches_s))]
    lines += ["", "memory (MB): " + _memory(outcome), ""]
    for title, found in (
        ("errors and exceptions on pages", notes.troubles),
        ("tracebacks in the server's log", outcome.log_troubles),
        ("results or names of others", notes.leaks),
    ):
        lines.append(f"{title}: {len(found)}")
        lines += [f"  {text[:600]}" for text in found[:8]]
    if outcome.attacked is not None:
        lines += ["", outcome.attacked.report()]
    return "\n".join(lines)


def _line(name: str, seconds: np.ndarray) -> str:
    if not len(seconds):
        return f"{name:28} {0:6}"
    p50, p95 = np.percentile(seconds, [50, 95])
    return f"{name:28} {len(seconds):6} {p50:8.2f} {p95:8.2f} {seconds.max():8.2f}"


def _memory(outcome: Outcome, points: int = 16) -> str:
    """Return the highest values of equal spans of time."""
    times, values = np.array(outcome.memory).T
    spans = np.linspace(0, times[-1] + 1e-6, points + 1)
    found = []
    for low, high in itertools.pairwise(spans):
        inside = values[(times >= low) & (times < high)]
        if len(inside):
            found.append(f"{high / 60:.1f} min {inside.max():.0f}")
    return " · ".join(found)
