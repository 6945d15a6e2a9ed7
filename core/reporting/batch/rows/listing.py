"""Several words in one cell of a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

SEPARATOR = " | "


NAMED = "classes_named"  # of a network of several labels: those above its threshold
SIGNS = "signs_against"  # what in the picture itself says that it is no micrograph


class Listed(str):
    """The text of a cell that lists words, and the words: one of them may hold the separator.

    It is written into a table as its text; what counts or shows words asks for `words`.
    """

    __slots__ = ("words",)
    words: tuple[str, ...]

    def __new__(cls, words: Iterable[str]) -> Self:
        """Return the words as one text that remembers them."""
        known = tuple(words)
        made = super().__new__(cls, SEPARATOR.join(known))
        made.words = known
        return made

    def __getnewargs__(self) -> tuple[tuple[str, ...]]:  # type: ignore[override]
        """Return what a copy is made of."""
        return (self.words,)


def words_of(cell: object) -> tuple[str, ...]:
    """Return the words of a cell; text that was read from a file is divided at the separator."""
    if isinstance(cell, Listed):
        return cell.words
    if isinstance(cell, list | tuple):
        return tuple(map(str, cell))
    return tuple(cell.split(SEPARATOR)) if isinstance(cell, str) and cell else ()
