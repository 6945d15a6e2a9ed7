"""Who has which added model in hand: what somebody works with makes room for nobody's new one.

A hand belongs to one session and goes with it. Sessions run in threads of their own; whatever
asks over all hands holds a lock.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterable

SHARE = 4  # models of one visitor that are safe; who has more makes room where it is short
AFTER_USE_S = 120.0  # a session that was cut off comes back within this, as Streamlit keeps it
_lock = threading.RLock()
_used_s: dict[str, float] = {}  # when a model was last in a hand, on the monotonic clock


class Hand:
    """What one session works with: the added models on its list, and the one being added."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()
        with _lock:
            _hands.add(self)

    def hold(self, names: Iterable[str]) -> None:
        """Say which models it holds now; what it no longer names it lets go."""
        with _lock:
            self._names = frozenset(names)
            now = time.monotonic()
            for name in [old for old, used_s in _used_s.items() if used_s < now - AFTER_USE_S]:
                del _used_s[name]
            _used_s.update(dict.fromkeys(self._names, now))

    @property
    def names(self) -> frozenset[str]:
        """Names of the models that it holds."""
        return self._names


_hands: weakref.WeakSet[Hand] = weakref.WeakSet()


def held() -> set[str]:
    """Return the models in the hand of an open session, or of one that was open just now."""
    with _lock:
        latest = time.monotonic() - AFTER_USE_S
        recent = {name for name, used_s in _used_s.items() if used_s >= latest}
        return recent.union(*(hand.names for hand in _hands))
