"""What is said of the micrographs in a loop: their sample, their class; all of it is undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.micrograph import Micrograph
from core.ui import cache
from core.ui.compare import cloud
from core.ui.parts import say
from core.ui.shell import grouping, user_errors

_STEPS = "compare_steps"  # what was said before each change, the newest last
_MOST_STEPS = 50
_SHOWN, _SHOWN_PX = 8, 56
_OFFERED = 6  # names that one click gives
SAMPLE, CLASS = "sample", "class"


@dataclass(frozen=True, slots=True)
class Classes:
    """Where classes are kept that a person gives.

    Attributes
    ----------
    names : callable
        Returns the names of all classes there are.
    of : callable
        Returns the class of a digest; "" where it has none.
    give : callable
        Takes digest to class; "" takes it off. Raises UserError for more classes than there may be.
    """

    names: Callable[[], list[str]]
    of: Callable[[str], str]
    give: Callable[[Mapping[str, str]], None]


def draw(key: str, chosen: Sequence[Micrograph], classes: Classes) -> None:
    """Draw what can be said of the chosen ones; a hint where none is chosen.

    Parameters
    ----------
    key : str
        Of the cloud in which they were chosen; also that of the widgets here.
    chosen : sequence of Micrograph
    classes : Classes
    """
    with st.container(border=True, gap="small", key=f"{key}_naming"):
        if chosen:
            _say_which(chosen)
            _ask(key, chosen, SAMPLE, "Sample", list(grouping.of_loaded()), classes)
            _ask(key, chosen, CLASS, "Class, for Train", classes.names(), classes)
        else:
            st.markdown(
                "**Name a sample, label a class** Draw a loop around those that belong together."
            )
        if steps := st.session_state.get(_STEPS):
            st.button(
                say.line("Undo: {what}", what=_told(steps[-1])),
                key=f"{key}_undo",
                icon=":material/undo:",
                type="tertiary",
                on_click=undo,
                args=(classes,),
            )


def _say_which(chosen: Sequence[Micrograph]) -> None:
    noun = "micrograph" if len(chosen) == 1 else "micrographs"
    say.markdown("**{count} {noun} chosen**", count=len(chosen), noun=noun)
    with st.container(horizontal=True, gap="xxsmall"):
        for each in chosen[:_SHOWN]:
            st.image(cache.card_jpeg(each), width=_SHOWN_PX, alt=each.name)
        if len(chosen) > _SHOWN:
            say.caption("and {more} more", more=len(chosen) - _SHOWN)


def _ask(
    key: str,
    chosen: Sequence[Micrograph],
    what: str,
    label: str,
    known: Sequence[str],
    classes: Classes,
) -> None:
    """Draw a name to type, and those that there are to click."""
    typed = f"{key}_{what}_{len(st.session_state.get(_STEPS, ()))}"
    digests = tuple(each.sha256 for each in chosen)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        with (
            st.form(f"{typed}_form", border=False, width="content"),
            st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
        ):
            st.text_input(
                say.line("{label}", label=label),
                key=typed,
                max_chars=60,
                placeholder="A name",
                width=170,
            )
            st.form_submit_button(
                "Set",
                key=f"{typed}_set",
                on_click=lambda: _give(key, what, digests, st.session_state[typed], classes),
            )
        for place, name in enumerate(known[:_OFFERED]):
            st.button(
                say.line("{name}", name=name),
                key=f"{key}_{what}_known_{place}",
                on_click=_give,
                args=(key, what, digests, name, classes),
            )
    said = {_now(what, sha256, classes) for sha256 in digests} - {""}
    if said:
        st.button(
            say.line("Take {named} off", named=", ".join(sorted(said)[:3])),
            key=f"{key}_{what}_off",
            type="tertiary",
            icon=":material/close:",
            on_click=_give,
            args=(key, what, digests, "", classes),
        )


def _give(key: str, what: str, digests: Sequence[str], name: str, classes: Classes) -> None:
    """Say it of all of them, and colour the map by it."""
    with user_errors():
        give(what, dict.fromkeys(digests, " ".join(name.split())), classes)
        st.session_state[f"{key}_colour_next"] = what
        cloud.take(key, [])


def give(what: str, said: Mapping[str, str], classes: Classes) -> None:
    """Say the sample or the class of micrographs, as one step that can be undone.

    Parameters
    ----------
    what : str
        `SAMPLE` or `CLASS`.
    said : mapping
        Digest to name; "" takes it back.
    classes : Classes

    Raises
    ------
    UserError
        If there would be too many classes.
    """
    before = {sha256: _now(what, sha256, classes) for sha256 in said}
    _set(what, said, classes)
    steps = st.session_state.setdefault(_STEPS, [])
    steps.append((what, before, next(iter(said.values()), "")))
    del steps[:-_MOST_STEPS]


def undo(classes: Classes) -> None:
    """Take back what was said last."""
    if steps := st.session_state.get(_STEPS):
        what, before, _ = steps.pop()
        _set(what, before, classes)


def _now(what: str, sha256: str, classes: Classes) -> str:
    return grouping.stated().get(sha256, "") if what == SAMPLE else classes.of(sha256)


def _set(what: str, said: Mapping[str, str], classes: Classes) -> None:
    if what == SAMPLE:
        grouping.state(said)
    else:
        classes.give(said)


def _told(step: tuple[str, dict[str, str], str]) -> str:
    what, before, name = step
    return f"{len(before)} as {what} {name}" if name else f"{what} of {len(before)} taken off"
