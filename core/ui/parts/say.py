"""Words on a page: a sentence of our own with facts put in, which are never markup.

Streamlit reads what it is given as Markdown: a file's name or a class of a stranger's model could
draw a picture from another server. So a page says `say.info("{name} is gone.", name=name)`: the
sentence is a literal, and whatever is put into it is shown letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.imaging.display import THIN_SPACE

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~:$&^=@])")
_JOINER = "\u2060"
_ADDRESS = re.compile(r"https?(?=:)|www(?=\.)|[^\s@](?=@)", re.IGNORECASE)  # where one begins
_LINE_END = re.compile(r"[\r\n\v\f\x85\u2028\u2029]")
# Letters, digits and what stands between them in words and in numbers with units: nothing that
# Markdown reads, so that it is left as it is. A point between letters could make a link.
_HARMLESS = re.compile(
    r"(?:[^\W_]|[ \u00a0,%×·–…]|(?<=\d)\.(?=\d)|(?<=[^\W_])-(?=[^\W_])|(?<=[^\W_] )[+&](?= ))*"
)


class Line(str):
    """A sentence of our own whose facts are disarmed: it may be put into another as it is."""

    __slots__ = ()


def plain(text: str) -> Line:
    """Return text that Markdown shows letter by letter: a file name is never markup.

    Addresses become links even where every sign is escaped, as they are looked for in the text
    that comes out. A word joiner, which nobody sees, keeps them from being found.
    """
    apart = _ADDRESS.sub(lambda found: f"{found[0]}{_JOINER}", _LINE_END.sub(" ", text))
    return Line(_MARKUP.sub(r"\\\1", apart))


def line(template: str, /, **facts: object) -> Line:
    """Return one of our own sentences with facts put in, disarmed.

    Parameters
    ----------
    template : str
        A literal, as `str.format` takes it; it may be Markdown.
    **facts : object
        Text is shown letter by letter; numbers are formatted as the template says, and a `Line`
        stays as it is.
    """
    return Line(template.format_map({name: _Fact(value) for name, value in facts.items()}))


def joined(lines: Iterable[Line], between: str = " ") -> Line:
    """Return finished lines as one; they may be lines of a list."""
    return Line(between.join(lines))


class _Fact:
    """A value that is disarmed when it is written."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __format__(self, spec: str) -> str:
        text = format(self._value, spec)
        if spec.endswith("g") and "e+" in text:
            text = _without_power(text)
        if isinstance(self._value, int | float):  # as tables and axes have it
            text = text.replace(",", THIN_SPACE)
        is_safe = isinstance(self._value, int | float | Line)
        return text if is_safe or _HARMLESS.fullmatch(text) else plain(text)


def _without_power(number: str) -> str:
    """Return 1.53e+03 as 1,530; what is really large keeps its power of ten."""
    value = float(number)
    return f"{value:,.0f}" if abs(value) < 1e9 else number


def markdown(
    template: str,
    /,
    *,
    into: DeltaGenerator | None = None,
    width: Any = "stretch",
    **facts: object,
) -> None:
    """Write a paragraph, on the page or into a container."""
    (into or st).markdown(line(template, **facts), width=width)


def caption(template: str, /, *, into: DeltaGenerator | None = None, **facts: object) -> None:
    """Write a small grey line."""
    (into or st).caption(line(template, **facts))


def subheader(template: str, /, **facts: object) -> None:
    """Write a heading without an anchor."""
    st.subheader(line(template, **facts), anchor=False)


def info(
    template: str,
    /,
    *,
    icon: str | None = None,
    into: DeltaGenerator | None = None,
    **facts: object,
) -> None:
    """Write what is worth knowing."""
    (into or st).info(line(template, **facts), icon=icon)


def warning(
    template: str,
    /,
    *,
    icon: str | None = None,
    into: DeltaGenerator | None = None,
    **facts: object,
) -> None:
    """Write what speaks against a result."""
    (into or st).warning(line(template, **facts), icon=icon)


def error(
    template: str,
    /,
    *,
    icon: str | None = None,
    into: DeltaGenerator | None = None,
    **facts: object,
) -> None:
    """Write what could not be done, and what to do."""
    (into or st).error(line(template, **facts), icon=icon)


def success(
    template: str,
    /,
    *,
    icon: str | None = None,
    into: DeltaGenerator | None = None,
    **facts: object,
) -> None:
    """Write what went well."""
    (into or st).success(line(template, **facts), icon=icon)


def metric(label: str, value: str, **options: Any) -> None:
    """Show one number or name in large type; neither it nor its label is markup."""
    st.metric(line("{label}", label=label), line("{value}", value=value), **options)
