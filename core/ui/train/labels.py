"""Which loaded micrograph is of which class: digests and numbers in the session, no pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import UserError
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.shell import workspace
from core.ui.train.settings import BY_NAME, GIVEN, GROUPS

if TYPE_CHECKING:
    from core.learning.training import LabelledPicture

_CLASSES = "train_classes"  # number -> name as typed; the first two are there from the start
_LABELS = "train_labels"  # sha256 -> number of its class
_SERIES = "train_series"  # sha256 -> folder or group that was stated
MOST_CLASSES = 24


def classes() -> dict[int, str]:
    """Return number and name of every class, in the order in which they were made."""
    found: dict[int, str] = st.session_state.setdefault(_CLASSES, {0: "", 1: ""})
    return found


def name_of(number: int) -> str:
    """Return what a class is called: what was typed, or a number."""
    return " ".join(classes().get(number, "").split()) or f"Class {number + 1}"


def add_class(name: str = "") -> int:
    """Make a class and return its number."""
    number = max(classes(), default=-1) + 1
    classes()[number] = name
    return number


def rename(number: int, name: str) -> None:
    """Call a class by another name."""
    classes()[number] = name


def remove_class(number: int) -> None:
    """Take a class away; its pictures stay loaded without a label."""
    classes().pop(number, None)
    for sha256 in [key for key, own in _labels().items() if own == number]:
        del _labels()[sha256]


def class_named(name: str) -> int:
    """Return the number of a class by its name; one that is new takes an unused place."""
    for number in classes():
        if name_of(number) == name:
            return number
    for number, own in classes().items():
        if not own.strip() and number not in _labels().values():
            rename(number, name)
            return number
    return add_class(name)


def give(sha256: str, number: int | None) -> None:
    """Label a loaded micrograph; None takes its label off."""
    if number is None:
        _labels().pop(sha256, None)
    else:
        _labels()[sha256] = number


def label_of(sha256: str) -> int | None:
    """Return the class of a micrograph; None where it has none."""
    number = _labels().get(sha256)
    return number if number in classes() else None


def names() -> list[str]:
    """Return the names of the classes that were given a name or a picture."""
    used = set(_labels().values())
    return [name_of(number) for number, own in classes().items() if own.strip() or number in used]


def class_of(sha256: str) -> str:
    """Return the name of a micrograph's class; "" where it has none."""
    number = label_of(sha256)
    return "" if number is None else name_of(number)


def give_named(said: Mapping[str, str]) -> None:
    """Label loaded micrographs, digest to name of a class; "" takes the label off.

    Raises
    ------
    UserError
        If there would be more than `MOST_CLASSES`; nothing is done then.
    """
    new = set(said.values()) - {""} - {name_of(number) for number in classes()}
    used = set(_labels().values())
    free = [number for number, own in classes().items() if not own.strip() and number not in used]
    if len(classes()) + len(new) - len(free) > MOST_CLASSES:
        raise UserError(f"There are {MOST_CLASSES} classes, the most there may be. Remove one.")
    for sha256, name in said.items():
        give(sha256, class_named(name) if name else None)


def note_series(sha256: str, series: str) -> None:
    """Note the folder or the group that a picture is said to come from."""
    st.session_state.setdefault(_SERIES, {})[sha256] = series


def of(number: int) -> list[Micrograph]:
    """Return the loaded micrographs of a class."""
    return [each for each in workspace.every() if label_of(each.sha256) == number]


def unlabelled() -> list[Micrograph]:
    """Return the loaded micrographs that have no label."""
    return [each for each in workspace.every() if label_of(each.sha256) is None]


def pictures() -> list[LabelledPicture]:
    """Return what can be learnt from, sorted by class, each with its group."""
    labelled = [(each, label_of(each.sha256)) for each in workspace.every()]
    named = [(each, name_of(number)) for each, number in labelled if number is not None]
    return sorted(
        (cache.labelled_picture(each, label, _group(each)) for each, label in named),
        key=lambda picture: picture.label,
    )


def _group(micrograph: Micrograph) -> str:
    by = GROUPS.value()
    series = st.session_state.get(_SERIES, {}).get(micrograph.sha256, "")
    if by == GIVEN and series:
        return f"series {series}"
    if by == BY_NAME:
        return f"named {cache.series_of_name(micrograph.name)}"
    return f"picture {micrograph.sha256}"


def _labels() -> dict[str, int]:
    found: dict[str, int] = st.session_state.setdefault(_LABELS, {})
    return found
