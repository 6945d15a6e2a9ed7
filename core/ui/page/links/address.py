"""A link that brings a collaborator to this page, with these samples and these settings.

It carries no file and nothing of a file's content. Whatever stands in an address is a stranger's
text: each part is read as the setting of that name declares it, and what does not fit is left out.
What no room declares never gets from an address into the session. The choice of the comparison
slider is not declared on purpose: a stranger's link must not make a page ask other servers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core.errors import UserError
from core.imaging.filtering import Pipeline, Step
from core.ui.page import rooms
from core.ui.page.links import sample
from core.ui.parts import Setting, Words
from core.ui.shell import filter_chain, model_choice, workspace

MARK, VERSION = "link", "1"
SAMPLES, _CURRENT = "samples", "sample"
MOST_SAMPLES = 6  # a link must not make the server work for long
_OWN = "own"  # says that the sender looked at a file, which no link carries
_MODEL, _CHAIN = "model", "chain"
_MOST_PARTS = 80
_MOST_CHAIN = 4000  # characters; browsers and mail programs cut longer addresses
_AT_FIRST = Pipeline([Step(filter_chain.START)]).to_json()
_OF_FILES = (MARK, SAMPLES, _CURRENT, _OWN, "pixel-size", "region")
_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "micrographia_link",
    html=(_HERE / "button.html").read_text(encoding="utf-8"),
    css=(_HERE / "button.css").read_text(encoding="utf-8"),
    js=(_HERE / "button.js").read_text(encoding="utf-8"),
)


def draw_copy() -> None:
    """Draw the button that copies the link; the browser knows the address's beginning."""
    _mount(key="link_copy", data=query())
    st.caption(
        "Carries this page, its samples and all settings, for the current sample also its pixel "
        "size, region and classes; no file and nothing of one."
    )


def query() -> str:
    """Return the link's part behind the question mark."""
    return urlencode(dict(_parts()))


def stated() -> dict[str, str]:
    """Return the settings of all pages as a link writes them; nothing of samples and files."""
    return {name: text for name, text in _parts() if name not in _OF_FILES}


def name_samples() -> str:
    """Return the loaded samples as an address names them: they can be simulated again."""
    return ".".join(f"{kind}-{seed}" for kind, seed in workspace.samples()[:MOST_SAMPLES])


def is_link(stated: Mapping[str, str]) -> bool:
    """Tell whether an address was made by `query`."""
    return MARK in stated


def needs_file(stated: Mapping[str, str]) -> bool:
    """Tell whether the sender looked at a file, which no link carries."""
    return _OWN in stated


def take_over(stated: Mapping[str, str]) -> tuple[int, int]:
    """Set what an address states; return how many settings held and how many parts did not.

    The samples are loaded before.
    """
    takers = _takers() if stated else {}  # they load the rooms of all pages
    held = refused = 0
    for number, (name, text) in enumerate(stated.items()):
        if name in (MARK, _OWN):
            continue
        try:
            if number >= _MOST_PARTS or name not in takers:
                raise ValueError("not a part of a link")
            takers[name](text)
            held += name != _CURRENT
        except (ValueError, UserError):
            refused += 1
    return held, refused


def _parts() -> Iterator[tuple[str, str]]:
    """Yield what the link says, name and text; what a page starts with need not travel."""
    yield MARK, VERSION
    yield from _samples()
    yield from _model()
    yield from sample.parts()
    for setting in rooms.every():
        value = st.session_state.get(setting.key)
        if value not in (None, "", setting.default):
            yield setting.name, setting.write(value)
    chain = Pipeline(filter_chain.steps()).to_json()
    if filter_chain.CHAIN in st.session_state and len(chain) <= _MOST_CHAIN and chain != _AT_FIRST:
        yield _CHAIN, chain


def _samples() -> Iterator[tuple[str, str]]:
    current = workspace.current()
    if named := name_samples():
        yield SAMPLES, named
    if current is None:
        return
    samples = workspace.samples()[:MOST_SAMPLES]
    names = [workspace.sample_name(kind, seed) for kind, seed in samples]
    if current.name in names:
        yield _CURRENT, str(names.index(current.name) + 1)
    elif not workspace.is_simulated(current):
        yield _OWN, VERSION


def _model() -> Iterator[tuple[str, str]]:
    """Yield the model, unless only this session knows it, and the layers looked at."""
    names = model_choice.choices()
    name = model_choice.current(names) if names else ""
    if not names or model_choice.is_added(name):
        return
    if name != next(iter(names)):
        yield _MODEL, name
    for setting in rooms.of("model"):
        if words := st.session_state.get(setting.key_of(name)):
            yield setting.name, setting.write(words)


def _takers() -> dict[str, Callable[[str], None]]:
    """Return what takes each part of an address over; each raises on what is not a value."""
    takers: dict[str, Callable[[str], None]] = {
        _CURRENT: _take_current,
        _MODEL: _take_model,
        _CHAIN: _take_chain,
        **sample.takers(),
    }
    for words in rooms.of("model"):
        takers[words.name] = partial(_take_of_model, words)
    for setting in rooms.every():
        takers[setting.name] = partial(_take, setting)
    return takers


def _take(setting: Setting, text: str) -> None:
    setting.put(setting.read(text))


def _take_current(text: str) -> None:
    """Make one of the link's samples the current micrograph."""
    every = workspace.every()
    if not re.fullmatch(r"[1-9]", text) or int(text) > len(every):
        raise ValueError("no such sample")
    workspace.select(every[int(text) - 1].sha256)


def _take_model(text: str) -> None:
    if text not in model_choice.choices():
        raise ValueError("not installed here")
    model_choice.choose(text)


def _take_of_model(setting: Words, text: str) -> None:
    names, words = model_choice.choices(), setting.read(text)
    if not names:
        raise ValueError("no model to say it of")
    st.session_state[setting.key_of(model_choice.current(names))] = words


def _take_chain(text: str) -> None:
    if len(text) > _MOST_CHAIN:
        raise ValueError("longer than any link")
    filter_chain.replace_all(Pipeline.from_json(text).steps)
