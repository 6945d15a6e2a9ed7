"""Scales that are read from pictures while the person goes on: one at a time for all visitors.

The networks that read take about 250 MB and half a second a picture. So one thread reads, few
pictures wait for it (a page asks again for the others), and once nobody waits the networks go.
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from collections import OrderedDict
from dataclasses import dataclass

import streamlit as st

from core.errors import UserError
from core.imaging import memory
from core.imaging.overlays import AS_FOUND, find_overlays, with_overlay_choice
from core.imaging.scale import ScaleReading, forget_recognisers, read_scale, why_no_reading
from core.micrograph import Micrograph

_LONGEST_END_S = 20  # what the end of the process waits for a picture that is being read
MOST_WAITING = 4  # pictures that are held for their turn
_MOST_KEPT = 4096
_IDLE_S = 45.0
_NEEDED_BYTES = 300 << 20
_Key = tuple[str, bool]  # digest, and whether it is read without letters being found
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reading a picture's scale gave: a reading, none, or a sentence why it failed."""

    reading: ScaleReading | None
    problem: str = ""


class ScaleReader:
    """Reads in one thread of its own and remembers, by the digest of the picture."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, Outcome] = OrderedDict()
        self._waiting: queue.Queue[tuple[Micrograph, bool]] = queue.Queue(MOST_WAITING)
        self._asked: set[_Key] = set()
        self._works = False
        self._reading = threading.Lock()
        # A thread that is ended inside a library of C++ takes the whole process down with it.
        atexit.register(self._reading.acquire, timeout=_LONGEST_END_S)

    def outcome(self, micrograph: Micrograph, anyway: bool) -> Outcome | None:
        """Return what was read; None where it was not read yet."""
        with self._lock:
            return self._known.get((micrograph.sha256, anyway))

    def ask(self, micrograph: Micrograph, anyway: bool) -> bool:
        """Have a picture read soon; False where so many wait that one must ask again."""
        key = micrograph.sha256, anyway
        with self._lock:
            if key in self._known or key in self._asked:
                return True
            try:
                self._waiting.put_nowait((micrograph, anyway))
            except queue.Full:
                return False
            self._asked.add(key)
            if not self._works:
                self._works = True
                threading.Thread(target=self._work, name="scale reader", daemon=True).start()
            return True

    def _work(self) -> None:
        """Read until nobody has asked for a while."""
        while True:
            try:
                micrograph, anyway = self._waiting.get(timeout=_IDLE_S)
            except queue.Empty:
                with self._lock:
                    if not self._waiting.empty():
                        continue
                    self._works = False
                forget_recognisers()
                memory.give_back()
                return
            with self._reading:
                outcome, key = _read(micrograph, anyway), (micrograph.sha256, anyway)
            with self._lock:
                self._known[key] = outcome
                self._asked.discard(key)
                while len(self._known) > _MOST_KEPT:
                    self._known.popitem(last=False)
            del micrograph  # nobody holds a picture while the thread waits


def _read(micrograph: Micrograph, anyway: bool) -> Outcome:
    """Read one picture; whatever goes wrong is a sentence, since the thread must go on."""
    try:
        if not (anyway or find_overlays(with_overlay_choice(micrograph, AS_FOUND)).any()):
            return Outcome(None)  # no letters, no bar: nothing can state a scale
        with memory.reserved(_NEEDED_BYTES):
            return Outcome(read_scale(micrograph))
    except UserError as error:
        return Outcome(None, str(error))
    except Exception:
        _log.exception("the scale of a picture could not be read")
        return Outcome(None, "Its scale could not be read; type it.")


@st.cache_resource(show_spinner=False, max_entries=1)
def _reader() -> ScaleReader:
    return ScaleReader()


def scale_outcome(micrograph: Micrograph, anyway: bool = False) -> Outcome | None:
    """Return what was read from a picture; None where it was not read yet."""
    return _reader().outcome(micrograph, anyway)


def ask_for_scale(micrograph: Micrograph, anyway: bool = False) -> bool:
    """Have the scale of a picture read soon; False where one must ask again later.

    With `anyway` also where no letters and no bar were found in it.
    """
    return _reader().ask(micrograph, anyway)


@st.cache_data(show_spinner=False, max_entries=1, ttl=60)
def reading_problem() -> str:
    """Return what must be installed before scales can be read; "" where all is there."""
    return why_no_reading() or ""


memory.on_shortage(forget_recognisers)
