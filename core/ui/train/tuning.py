"""One thorough training of one person, in a thread of its own: leaving the page does not end it.

The thread touches nothing of Streamlit. One training is at work on a server, others wait; when
the session forgets a training, its thread stops and its folder goes.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.ui.parts import Turns, be_polite
from core.ui.shell import sentence

if TYPE_CHECKING:
    from core.learning.models import Classifier
    from core.learning.training import LabelledPicture, Tuned, Watch

_TURNS = Turns(1)


@dataclass(slots=True, eq=False)
class _State:
    """What the thread tells the page; single assignments, so that no lock is needed."""

    watch: Watch
    made: Tuned | None = None
    problem: str = ""
    is_waiting: bool = True
    is_over: bool = False
    is_forgotten: bool = False


@dataclass(eq=False)
class Tuning:
    """A training at work, stopped or done.

    Attributes
    ----------
    pictures : list of LabelledPicture
    title, key : str
        The model's name, and the digest of what is learnt.
    place : str
        Where its memory counts in the budget of all visitors.
    """

    pictures: list[LabelledPicture]
    start: Classifier
    title: str
    key: str
    place: str
    visitor: object = None
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="micrographia_")))

    def __post_init__(self) -> None:
        """Begin at once, or as soon as nobody else trains."""
        self._states: list[_State] = []
        self.forget = weakref.finalize(self, _forget, self._states, self.folder)
        self.go_on()

    def go_on(self) -> None:
        """Begin, or take up a stopped training where it was."""
        from core.learning.training import Watch

        state = _State(Watch())
        self._states.append(state)
        arguments = (state, self.pictures, self.start, self.title, self.folder, self.visitor)
        threading.Thread(target=_work, args=arguments, name="tuning", daemon=True).start()

    @property
    def _state(self) -> _State:
        return self._states[-1]

    def cancel(self) -> None:
        """Stop at the next step; what is done is kept until it goes on or is forgotten."""
        self._state.watch.stop()

    @property
    def is_running(self) -> bool:
        """Whether the thread is still at work or waiting."""
        return not self._state.is_over

    @property
    def made(self) -> Tuned | None:
        """What came out, once it is done."""
        return self._state.made

    @property
    def problem(self) -> str:
        """Why there is no model, as a sentence; empty when it was stopped or is done."""
        return self._state.problem

    @property
    def share(self) -> float:
        """Which part is done."""
        return self._state.watch.share

    @property
    def words(self) -> str:
        """What it does, and how long it will take."""
        if self._state.watch.is_stopping:
            return "stopping; what is done is kept"
        if self._state.is_waiting:
            return "waiting: somebody else trains on this server"
        minutes = self._state.watch.left_s / 60
        left = "less than a minute" if minutes < 1 else f"about {minutes:.0f} min"
        return f"training · {self.share:.0%} · {left} left"


def _work(
    state: _State,
    pictures: list[LabelledPicture],
    start: Classifier,
    title: str,
    folder: Path,
    visitor: object,
) -> None:
    """Train in turn; whatever happens ends in a model, a kept folder or a sentence."""
    from core.learning.training import Stopped, train_thoroughly

    try:
        with _TURNS.take(visitor, lambda: state.watch.is_stopping) as turn:
            if turn is None:
                return
            state.is_waiting = False
            be_polite()
            state.made = train_thoroughly(pictures, start, folder, name=title, watch=state.watch)
    except Stopped:
        pass
    except Exception as error:
        if not state.is_forgotten:
            state.problem = sentence(error)
    finally:
        state.is_over = True
        if state.is_forgotten:
            shutil.rmtree(folder, ignore_errors=True)


def _forget(states: list[_State], folder: Path) -> None:
    """Stop the thread, which then removes the folder; remove it here when the thread is done."""
    for state in states:
        state.is_forgotten = True
        state.watch.stop()
    if all(state.is_over for state in states):
        shutil.rmtree(folder, ignore_errors=True)
