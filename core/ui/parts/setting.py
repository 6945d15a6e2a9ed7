"""A setting, declared once: its widget, its part of a link, and its place in a recipe.

A room lists its settings in its `settings.py`. The page draws the widget from the declaration, a
link reads and writes the value by it, and a batch begins with what it writes into a recipe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import streamlit as st

_SEVERAL = "~"  # in an address, between the values of a choice of several
_WORD = re.compile(r"[\w .()+-]{1,80}")
_YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all settings declare.

    Parameters
    ----------
    name : str
        In an address; it stays for good, since links are kept.
    key : str
        In the session, where the widget keeps the value.
    label, help : str
        Of the widget.
    default : object
        What a page starts with: it need not travel. None or "" where the start depends on
        something else.
    recipe : str
        Field of a `Recipe` that takes the value, "smoothing.radius_px" for a part of one; empty
        where none does.
    to_recipe : callable
        From the value to what the recipe holds; a dict stands for several parts of the field.
    counts : callable
        Tells whether the setting has a say at all; while it has none its default holds.
    """

    name: str
    key: str
    label: str = ""
    help: str | None = None
    default: Any = None
    recipe: str = ""
    to_recipe: Callable[[Any], Any] = lambda value: value
    counts: Callable[[], bool] = lambda: True

    def value(self) -> Any:
        """Return what holds, on whatever page it was set."""
        found = st.session_state.get(self.key) if self.counts() else None
        return self.default if found is None else found

    def put(self, value: Any) -> None:
        """Set the value; before the widget is drawn, or in a callback."""
        st.session_state[self.key] = value

    def begin_with(self, source: Any) -> None:
        """Set what another page says, unless it was set before; it is set anew when that changes.

        Call it before the widget is drawn, and declare no default. What a person chooses in the
        widget then holds until the other page says something new.
        """
        seen = f"{self.key}_followed"
        if self.key not in st.session_state or st.session_state.get(seen, source) != source:
            self.put(source)
        st.session_state[seen] = source

    def read(self, text: str) -> Any:
        """Return the value that an address states.

        Raises
        ------
        ValueError
            If it is none: an address is a stranger's text.
        """
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """Return the value as an address states it."""
        return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Setting):
    """Yes or no."""

    default: bool = False

    def draw(self, label: str = "", help: str = "") -> bool:  # noqa: A002 as Streamlit calls it
        """Draw the switch, if it has a say, and return whether it is on.

        Label and help may be given where they tell of what is loaded.
        """
        if not self.counts():
            return self.default
        return st.toggle(
            label or self.label,
            value=self.default,
            key=self.key,
            persist_state="session",
            help=help or self.help,
        )

    def read(self, text: str) -> bool:
        """Return whether it says yes."""
        return _YES_NO[_one_of(_YES_NO, text)]

    def write(self, value: bool) -> str:
        """Say yes or no."""
        return "yes" if value else "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Setting):
    """A whole number from `low` to `high` in steps; a slider, or a box to type in."""

    low: int
    high: int
    step: int = 1
    in_box: bool = False

    def draw(self, start: int | None = None) -> int:
        """Draw the widget, if it has a say; it starts at the default or at a given number."""
        if not self.counts():
            return cast(int, self.default)
        draw: Any = st.number_input if self.in_box else st.slider
        start = self.default if start is None else start
        value: int = draw(
            self.label,
            self.low,
            self.high,
            **({} if start is None else {"value": start}),
            step=self.step,
            key=self.key,
            persist_state="session",
            help=self.help,
        )
        return int(value)

    def read(self, text: str) -> int:
        """Return the number."""
        if not re.fullmatch(r"\d{1,7}", text, re.ASCII):
            raise ValueError("not a whole number")
        value = int(text)
        if not self.low <= value <= self.high or (value - self.low) % self.step:
            raise ValueError("out of range")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount(Setting):
    """A number with decimals from `low` to `high`, to type in."""

    low: float
    high: float
    step: float = 1.0

    def draw(self, label: str = "") -> float:
        """Draw the widget, if it has a say."""
        if not self.counts():
            return cast(float, self.default)
        value: float = st.number_input(
            label or self.label,
            float(self.low),
            float(self.high),
            value=float(self.default),
            step=float(self.step),
            format="%g",
            key=self.key,
            persist_state="session",
            help=self.help,
        )
        return float(value)

    def read(self, text: str) -> float:
        """Return the number."""
        if not re.fullmatch(r"\d{1,7}(\.\d{1,6})?", text, re.ASCII):
            raise ValueError("not a number")
        value = float(text)
        if not self.low <= value <= self.high:
            raise ValueError("out of range")
        return value

    def write(self, value: float) -> str:
        """Write it without an exponent."""
        return f"{value:.6f}".rstrip("0").rstrip(".")


Titles = Mapping[Any, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Setting):
    """One of several, in a list or in a row.

    Parameters
    ----------
    options : mapping or callable
        Value to title, or what returns that where it takes time to know.
    in_row : bool
        All can be seen at once.
    required : bool
        In a row: a click on the chosen one leaves it chosen.
    is_labelled : bool
        Whether the label is seen; it is read aloud in any case.
    texts : mapping
        Value to what an address says, where that is not the value itself.
    """

    options: Titles | Callable[[], Titles]
    in_row: bool = False
    required: bool = False
    is_labelled: bool = True
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def titles(self) -> Titles:
        """Value to title."""
        return self.options() if callable(self.options) else self.options

    def draw(self, titles: Titles | None = None) -> Any:
        """Draw the widget, if it has a say, with fewer options where some do not fit."""
        if not self.counts():
            return self.default
        titles = self.titles if titles is None else titles
        common: dict[str, Any] = {
            "format_func": titles.__getitem__,
            "key": self.key,
            "persist_state": "session",
            "help": self.help,
            "label_visibility": "visible" if self.is_labelled else "collapsed",
        }
        values = list(titles)
        if self.in_row:
            common |= {"required": True} if self.required else {}
            return st.segmented_control(self.label, values, default=self.default, **common)
        start = values.index(self.default) if self.default in values else 0
        return st.selectbox(self.label, values, start, **common)

    def read(self, text: str) -> Any:
        """Return the option."""
        by_text = {self.write(value): value for value in self.titles}
        return by_text[_one_of(by_text, text)]

    def write(self, value: Any) -> str:
        """Return the option's text."""
        return self.texts.get(value, str(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Several(Setting):
    """Any number of options, in a row; value to title."""

    options: Titles
    default: list[Any] = field(default_factory=list)

    def draw(self) -> list[Any]:
        """Draw the options, if they have a say, and return the chosen ones."""
        if not self.counts():
            return self.default
        chosen: list[Any] = st.pills(
            self.label,
            list(self.options),
            selection_mode="multi",
            default=self.default,
            format_func=self.options.__getitem__,
            key=self.key,
            persist_state="session",
            help=self.help,
        )
        return chosen

    def read(self, text: str) -> list[Any]:
        """Return the options that are named; none for an empty text."""
        by_text = {_short(value): value for value in self.options}
        parts = text.split(_SEVERAL) if text else []
        if len(set(parts)) < len(parts):
            raise ValueError("twice the same")
        return [by_text[_one_of(by_text, part)] for part in parts]

    def write(self, value: Iterable[Any]) -> str:
        """Return the names of the options."""
        return _SEVERAL.join(map(_short, value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Words(Setting):
    """Names that only the model or the micrograph at hand knows, kept for each of them apart.

    Parameters
    ----------
    of : str
        "model" or "sample": whose names they are.
    several : bool
        Whether the value is a list of names.
    """

    of: str
    several: bool = False

    def key_of(self, one: str) -> str:
        """Return the key in the session for one model's name or one micrograph's digest."""
        return f"{self.key}_{one}"

    def read(self, text: str) -> Any:
        """Return the words; whether they are known is seen where they are used."""
        words = text.split(_SEVERAL) if self.several else [text]
        if not all(_WORD.fullmatch(word) for word in words):
            raise ValueError("not words")
        return words if self.several else text

    def write(self, value: Any) -> str:
        """Return the words as one text."""
        return _SEVERAL.join(value) if self.several else str(value)


def gather(settings: Iterable[Setting]) -> dict[str, Any]:
    """Return what settings write into a recipe: its fields, a dict where parts of one are said.

    A setting later in the row takes the place of an earlier one in the same field.
    """
    said: dict[str, Any] = {}
    for setting in settings:
        value = setting.value() if setting.recipe and setting.counts() else None
        if value is None:
            continue
        name, _, part = setting.recipe.partition(".")
        written = setting.to_recipe(value)
        written = {part: written} if part else written
        said[name] = {**said.get(name, {}), **written} if isinstance(written, dict) else written
    return said


def _one_of(options: Iterable[str], text: str) -> str:
    if text not in options:
        raise ValueError("not one of the options")
    return text


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
