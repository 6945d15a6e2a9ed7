"""One batch of one person, in a thread of its own: leaving the page does not end it.

The thread touches nothing of Streamlit. It writes into a `_State` that the page reads now and
then; the session holds the `Run`, and when the session forgets it, the thread stops and the folder
goes.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.reporting.batch import BatchResult, GivenSource, Pace, relabel, run_batch, write_zip
from core.reporting.recipe import Recipe
from core.reporting.report import write_report
from core.ui import cache
from core.ui.shell import sentence, workspace

if TYPE_CHECKING:
    from core.learning.models import Classifier

_KEY = "batch_run"
_SHOWN = 12  # rows shown while the batch runs
_TURNS = threading.Semaphore(2)  # batches at work at once on this server; others wait


@dataclass(slots=True, eq=False)
class _State:
    """What the thread tells the page; single assignments, so that no lock is needed."""

    pace: Pace = field(default_factory=Pace)
    stop: threading.Event = field(default_factory=threading.Event)
    rows: list[dict[str, Any]] = field(default_factory=list)
    phase: str = "waiting for another batch on this server"
    result: BatchResult | None = None
    report: Path | None = None
    problem: str = ""
    is_over: bool = False
    is_forgotten: bool = False


class Run:
    """A batch at work or finished, in a folder of its own."""

    def __init__(
        self, sources: Sequence[GivenSource], recipe: Recipe, classifier: Classifier
    ) -> None:
        self.recipe = recipe
        self.revision = 0
        self._state = _State()
        folder = Path(tempfile.mkdtemp(prefix="micrographia_"))
        self._thread = threading.Thread(
            target=_work,
            args=(self._state, list(sources), recipe, classifier, folder),
            name="batch",
            daemon=True,
        )
        self.forget = weakref.finalize(self, _forget, self._state, folder)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the thread is still at work."""
        return not self._state.is_over

    @property
    def progress(self) -> float:
        """Share of the micrographs that are done."""
        pace = self._state.pace
        return pace.done / pace.total if pace.total else 0.0

    @property
    def words(self) -> str:
        """Count, rate and time left; or what the thread does beside counting."""
        return self._state.phase or self._state.pace.words()

    @property
    def latest_rows(self) -> list[dict[str, Any]]:
        """The last rows that were finished, the newest first."""
        return list(reversed(self._state.rows[-_SHOWN:]))

    @property
    def problem(self) -> str:
        """Why there is no result, as a sentence; empty when all is well."""
        return self._state.problem

    @property
    def result(self) -> BatchResult | None:
        """What came out, once the thread is done."""
        return self._state.result

    @property
    def report(self) -> Path:
        """The report's file; only when there is a result."""
        assert self._state.report is not None
        return self._state.report

    def cancel(self) -> None:
        """Stop after the micrograph at hand; what is done is kept and reported."""
        self._state.phase = "stopping; what is done is kept"
        self._state.stop.set()

    def zip(self) -> bytes:
        """Return everything the batch wrote."""
        assert self.result is not None
        return write_zip(self.result).read_bytes()

    def label(self, labels: Mapping[int, str]) -> None:
        """Take over true classes and write tables and report again."""
        assert self.result is not None
        self._state.result = relabel(self.result, labels)
        write_report(self._state.result, self._state.result.out)
        self.revision += 1


def start(sources: Sequence[GivenSource], recipe: Recipe) -> None:
    """Begin a batch; the one before it is stopped and forgotten, unless the model is not there."""
    classifier = cache.model(recipe.model)
    previous = latest()
    if previous is not None:
        previous.forget()
    held = sum(len(source[1]) for source in sources if isinstance(source, tuple))
    workspace.hold_beside("batch", held)
    st.session_state[_KEY] = Run(sources, recipe, classifier)


def latest() -> Run | None:
    """Return the visitor's last batch, at work or finished."""
    run: Run | None = st.session_state.get(_KEY)
    if run is not None and not run.is_running:
        workspace.hold_beside("batch", 0)
    return run


def _work(
    state: _State,
    sources: list[GivenSource],
    recipe: Recipe,
    classifier: Classifier,
    folder: Path,
) -> None:
    """Run the batch in its turn; whatever happens ends in a result or in a sentence."""
    try:
        with _TURNS:
            state.phase = "reading the first micrographs"
            result = run_batch(
                sources,
                recipe,
                folder,
                classifier=classifier,
                on_progress=lambda done, total, name: _note(state, done, total),
                on_row=state.rows.append,
                should_stop=state.stop.is_set,
            )
            state.phase = "writing the report"
            state.report = write_report(result, folder)
            state.result = result
    except Exception as error:
        if not state.is_forgotten:  # its folder is gone, which is no failure
            state.problem = sentence(error)
    finally:
        state.is_over = True
        if state.is_forgotten:
            shutil.rmtree(folder, ignore_errors=True)


def _note(state: _State, done: int, total: int) -> None:
    state.pace.note(done, total)
    if not state.stop.is_set():
        state.phase = ""


def _forget(state: _State, folder: Path) -> None:
    """Stop the thread, which then removes the folder; remove it here when the thread is done."""
    state.is_forgotten = True
    state.stop.set()
    if state.is_over:
        shutil.rmtree(folder, ignore_errors=True)
