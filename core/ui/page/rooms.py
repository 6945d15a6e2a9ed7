"""All settings of all rooms, for links and for a batch: each room lists its own.

A room is loaded when its settings are first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.ui import batch, classify, cluster, explain, filters, segment, shell, train
from core.ui.parts import Setting, Words, gather


def every() -> tuple[Setting, ...]:
    """Return the settings that hold whatever is looked at, in the order of the pages."""
    return tuple(setting for setting in _all() if not isinstance(setting, Words))


def of(whose: str) -> tuple[Words, ...]:
    """Return the settings that are kept for each "model" or each "sample"."""
    return tuple(s for s in _all() if isinstance(s, Words) and s.of == whose)


def for_recipe() -> dict[str, Any]:
    """Return what the pages say of a recipe: its fields, a dict for parts of one.

    The batch's own settings are left out: they begin with these.
    """
    return gather(_before_batch())


def _all() -> Iterator[Setting]:
    yield from _before_batch()
    yield from batch.settings.SETTINGS
    yield from train.settings.SETTINGS
    yield from segment.settings.SETTINGS


def _before_batch() -> Iterator[Setting]:
    yield from shell.settings.SETTINGS
    yield from classify.settings.SETTINGS
    yield from explain.settings.SETTINGS
    yield from filters.settings.SETTINGS
    yield from cluster.settings.SETTINGS
