"""Elements and attributes of the XML that programs write into pictures, found in bounded time."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_MAX_XML = 2_000_000
_ATTRIBUTE = re.compile(r"""\b([\w:]{1,60})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)')""")


def attributes(tag: str) -> dict[str, str]:
    """Return the attributes in an opening tag, with entities such as &#197; as letters."""
    return {name: html.unescape(one or other) for name, one, other in _ATTRIBUTE.findall(tag)}


def element(xml: str, name: str, most: int) -> str:
    """Return what stands between the first <name> and its end, at most so many characters."""
    start = re.search(rf"<(?:\w{{1,12}}:)?{name}\b[^<>]{{0,500}}>", xml[:_MAX_XML])
    if start is None:
        return ""
    body = xml[start.end() : start.end() + most]
    end = re.search(rf"</(?:\w{{1,12}}:)?{name}\s?>", body)
    return body[: end.start()] if end else body


def first_text(xml: str, name: str) -> str:
    """Return the text of the first <name> without elements in it, "" when there is none."""
    found = re.search(rf"<{name}\b[^<>]{{0,500}}>([^<]{{0,500}})</{name}>", xml[:_MAX_XML])
    return html.unescape(found[1]).strip() if found else ""


def tags(xml: str, *names: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (name, attributes) of the opening tags with these names, in their order."""
    wanted = "|".join(names)
    for found in re.finditer(rf"<(?:\w{{1,9}}:)?({wanted})\b([^<>]{{0,5000}})>", xml[:_MAX_XML]):
        yield found[1], attributes(found[2])
