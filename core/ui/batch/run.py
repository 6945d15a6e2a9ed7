"""One batch of one person, in a thread of its own: leaving the page does not end it.

The thread touches nothing of Streamlit. It writes into a `_State` that the page reads now and
then; the session holds the `Run`, and when the session forgets it, the thread stops and the folder
goes.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import weakref
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import streamlit as st

from core.leftovers import make_folder
from core.micrograph import Micrograph
from core.reporting.batch import (
    BatchResult,
    GivenSource,
    Pace,
    add_by_hand,
    list_by_hand,
    relabel,
    run_batch,
    write_zip,
)
from core.reporting.recipe import Recipe
from core.reporting.report import About, write_report
from core.ui import cache
from core.ui.batch.kept import Kept
from core.ui.parts import Door, Turn, Turns, viewer
from core.ui.shell import sentence, visitor, workspace

if TYPE_CHECKING:
    from core.learning.models import Classifier

_Made = TypeVar("_Made")
_KEY, _KEPT_KEY = "batch_run", workspace.BATCH_KEPT
_WAITING = "waiting for another batch on this server"
_BACK = "The page was opened anew; your finished batch is back."
_GONE = (
    "The batch that the address names is gone: a finished one is kept for an hour. Run it again."
)
_SHOWN = 12  # rows shown while the batch runs
_DOOR = Door()  # to other labels, for which the report is written anew
_TURNS = Turns(2)  # batches at work at once on this server; others wait


@dataclass(slots=True, eq=False)
class _State:
    """What the thread tells the page; single assignments, so that no lock is needed."""

    pace: Pace = field(default_factory=Pace)
    stop: threading.Event = field(default_factory=threading.Event)
    rows: list[dict[str, Any]] = field(default_factory=list)
    phase: str = _WAITING
    result: BatchResult | None = None
    report: Path | None = None
    problem: str = ""
    is_over: bool = False
    is_forgotten: bool = False


class Run:
    """A batch at work or finished, in a folder of its own."""

    def __init__(self, recipe: Recipe, place: str = "batch", about: About | None = None) -> None:
        """Make the folder; `begin` starts the work, `finish` takes up what is done.

        `place` is where the sources count in the budget of all visitors.
        """
        self.recipe = recipe
        self.revision = 0
        self.note = ""  # what of a table of labels was not used
        self.about = about or About()
        self.is_opened = False  # saved results, computed elsewhere
        self.place = place
        self._labelling = threading.Lock()
        self._drawn: dict[Hashable, Any] = {}  # of this revision
        self._state = _State()
        self._folder = make_folder("batch-")
        self.forget = weakref.finalize(self, _forget, self._state, self._folder)

    def begin(
        self,
        sources: Sequence[GivenSource],
        classifier: Classifier,
        others: Sequence[GivenSource] = (),
        visitor: object = None,
        by_hand: pd.DataFrame | None = None,
    ) -> None:
        """Begin at once, or as soon as it is this visitor's turn.

        `others` are for filters that need them; `by_hand` is what was measured by hand on the
        sources, for the report.
        """
        work = (list(sources), self.recipe, classifier, self._folder, list(others))
        threading.Thread(
            target=_work, args=(self._state, *work, visitor, by_hand), name="batch", daemon=True
        ).start()

    def finish(self, restore: Callable[[Path], BatchResult | None]) -> bool:
        """Take up a result that was made elsewhere; False, and nothing is shown, without one.

        Raises
        ------
        UserError
            If there is none that can be shown.
        """
        self._state.is_over = self.is_opened = True
        result = restore(self._folder)
        if result is None:
            return False
        self._state.report = write_report(result, self._folder, about=self.about)
        self._state.result = result
        return True

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
        with _DOOR.enter(), self._labelling:  # a kept batch may be open in two tabs
            self._state.result = relabel(self.result, labels)
            write_report(self._state.result, self._state.result.out, about=self.about)
            self.revision += 1
            self._drawn = {}

    def once(self, what: Hashable, make: Callable[[], _Made]) -> _Made:
        """Return what was made of the result under that name; made anew after other labels."""
        drawn = self._drawn
        if what not in drawn:
            drawn[what] = make()
        made: _Made = drawn[what]
        return made

    def entitle(self, about: About) -> None:
        """Take over title, authors and note, and write the report again."""
        assert self.result is not None
        with self._labelling:
            if about != self.about:
                self.about = about
                write_report(self.result, self.result.out, about=about)

    @property
    def held_bytes(self) -> int:
        """How much its files take on the disk."""
        folder = self.result.out if self.result is not None else None
        if folder is None:
            return 0
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


_kept: Kept[Run] = Kept()


def start(sources: Sequence[GivenSource], recipe: Recipe) -> None:
    """Begin a batch; once there is room for it, the one before it is stopped and forgotten.

    Raises
    ------
    UserError
        If the model is not there or there is no room; the batch before is then as it was.
    """
    classifier = cache.model(recipe.model)
    previous = latest()
    wanted = any(step.others for step in recipe.filters) or bool(recipe.segmentation.digests)
    others = workspace.every() if wanted else ()
    place = f"batch {secrets.token_hex(4)}"
    held = sum(len(source[1]) for source in sources if isinstance(source, tuple))
    workspace.hold_beside(place, held)
    try:
        begun = Run(recipe, place)
        begun.begin(sources, classifier, others, visitor.identity() or None, _by_hand(sources))
    except BaseException:
        workspace.hold_beside(place, 0)
        raise
    _put(begun, previous)


def take_over(restore: Callable[[Path], BatchResult | None], recipe: Recipe, about: About) -> bool:
    """Show a result that was made elsewhere in place of the last batch; False without one.

    Raises
    ------
    UserError
        If it cannot be shown; the batch before is then as it was.
    """
    found = Run(recipe, about=about)
    try:
        is_one = found.finish(restore)
    except BaseException:
        found.forget()
        raise
    if not is_one:
        found.forget()
        return False
    _put(found, latest())
    st.session_state["batch_title"] = about.title
    st.session_state["batch_authors"] = ", ".join(about.authors)
    st.session_state["batch_note"] = about.note
    return True


def _put(run: Run, previous: Run | None) -> None:
    """Make a batch the visitor's last one; the one before it is stopped and forgotten."""
    if previous is not None:
        workspace.hold_beside(previous.place, 0)
        _kept.drop(previous)
        previous.forget()
    st.session_state[_KEY] = run
    st.session_state.pop(_KEPT_KEY, None)


def _by_hand(sources: Sequence[GivenSource]) -> pd.DataFrame:
    """Return what this visitor measured by hand on the loaded micrographs of a batch."""
    loaded = [source for source in sources if isinstance(source, Micrograph)]
    return list_by_hand((m.name, m.pixel_size, viewer.kept.shapes(m)) for m in loaded)


def bring_back() -> str:
    """Take up the batch that the address named; return what to say of it, "" for nothing."""
    wanted = st.session_state.pop(workspace.BATCH_WANTED, "")
    if not wanted or _KEY in st.session_state:
        return ""
    return _BACK if revive(wanted) else _GONE


def latest() -> Run | None:
    """Return the visitor's last batch, at work or finished."""
    run: Run | None = st.session_state.get(_KEY)
    if run is not None and not run.is_running:
        workspace.hold_beside(run.place, 0)
    return run


def is_done() -> bool:
    """Tell whether there is a result to look at."""
    run = latest()
    return run is not None and not run.is_running and run.result is not None


def keep(run: Run) -> str:
    """Keep a finished batch for an hour; return the key by which `find` gives it back.

    Who knows the key sees the batch: it cannot be guessed. Kept are few and of a bounded size; the
    oldest of the visitor with most makes room.
    """
    return _kept.keep(run, run.held_bytes, visitor.identity())


def find(key: str) -> Run | None:
    """Return the batch that was kept under a key; None when there is none (any more)."""
    return _kept.find(key)


def kept_key() -> str:
    """Return the key of this visitor's finished batch, for the address; "" when there is none."""
    run = latest()
    if run is None or run.result is None:
        return ""
    key: str = st.session_state.get(_KEPT_KEY, "")
    if not key or find(key) is not run:
        key = st.session_state[_KEPT_KEY] = keep(run)
    return key


def revive(key: str) -> bool:
    """Give this visitor the batch that an address names; False, and nothing done, if it is gone."""
    run = find(key)
    if run is None:
        return False
    st.session_state[_KEY] = run
    st.session_state[_KEPT_KEY] = key
    return True


def _work(
    state: _State,
    sources: list[GivenSource],
    recipe: Recipe,
    classifier: Classifier,
    folder: Path,
    others: list[GivenSource],
    visitor: object,
    by_hand: pd.DataFrame | None,
) -> None:
    """Run the batch in its turn; whatever happens ends in a result or in a sentence."""
    try:
        with _TURNS.take(visitor, state.stop.is_set) as turn:
            if turn is None:
                state.problem = "Cancelled before it began: nothing was analysed."
                return
            state.phase = "reading the first micrographs"
            result = run_batch(
                sources,
                recipe,
                folder,
                classifier=classifier,
                on_progress=lambda done, total, name: _note(state, done, total, turn),
                others=others,
                on_row=state.rows.append,
                should_stop=state.stop.is_set,
            )
            state.phase = "writing the report"
            if by_hand is not None and len(by_hand):
                result = add_by_hand(result, by_hand)
            state.report = write_report(result, folder)
            state.result = result
    except Exception as error:
        if not state.is_forgotten:  # its folder is gone, which is no failure
            state.problem = sentence(error)
    finally:
        sources.clear()  # the thread may live longer than what it was given
        others.clear()
        state.is_over = True
        if state.is_forgotten:
            shutil.rmtree(folder, ignore_errors=True)


def _note(state: _State, done: int, total: int, turn: Turn) -> None:
    state.pace.note(done, total)
    if turn.must_give_way():
        state.phase = _WAITING
        turn.give_way()
    if not state.stop.is_set():
        state.phase = ""


def _forget(state: _State, folder: Path) -> None:
    """Stop the thread, which then removes the folder; remove it here when the thread is done."""
    state.is_forgotten = True
    state.stop.set()
    if state.is_over:
        shutil.rmtree(folder, ignore_errors=True)
