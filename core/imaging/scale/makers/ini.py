"""Lines of key=value, as several makers write them."""

from __future__ import annotations

import re

_MAX_CHARACTERS = 1_000_000


def entries(text: str) -> dict[str, str]:
    """Return key → value of every line, whatever its section."""
    lines = re.findall(r"(?m)^([^=\r\n]{1,80})=([^\r\n]{0,500})", text[:_MAX_CHARACTERS])
    return {key.strip(): value.strip() for key, value in lines}


def leading_number(text: str | None) -> str | None:
    """Return the number at the start of a text such as "15000 Volt"."""
    match = re.match(r"\s{0,9}([0-9.]{1,30})", text or "")
    return match[1] if match else None


def size_px(text: str | None) -> tuple[int | None, int | None]:
    """Return width and height from a text such as "1280x960" or "1280 960"."""
    match = re.match(r"\s{0,9}(\d{1,6})(?:\s{0,9}[x*× ,]\s{0,9}(\d{1,6}))?", text or "")
    if match is None:
        return None, None
    return int(match[1]), int(match[2]) if match[2] else None
