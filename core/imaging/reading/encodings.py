"""Bytes that people or programs wrote as text -> text, whichever of the usual encodings it is."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD_BYTES = 400
_WIDE_SHARE = 0.25  # of the head: every other byte of half of the letters is zero
_SHIFT_JIS = ("μ".encode("cp932"), "\u212b".encode("cp932"))  # the letters that units need
_TWICE = re.compile("\u00c2(?=[\u00a0-\u00bf])")


def stated_encoding(data: bytes) -> str:
    """Return a Unicode encoding by its mark or, UTF-16, by its zeros; "" where nothing tells."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    head = data[:_HEAD_BYTES]
    first, second = head[::2].count(0), head[1::2].count(0)
    if max(first, second) <= _WIDE_SHARE * len(head):
        return ""
    return "utf-16-le" if second > first else "utf-16-be"


def decode_text(data: bytes, errors: str = "replace") -> str:
    """Return the text of a file.

    UTF-8, UTF-16 and UTF-32 with or, UTF-16, without a mark; else Shift-JIS where it holds the
    letters of a unit (µ, Å), else the code page of an old Windows, in which UTF-8 in places is
    understood, too ("Âµm").

    Parameters
    ----------
    data : bytes
    errors : "replace" or "strict"
        What is in none of them comes out as U+FFFD, or is a UnicodeDecodeError.
    """
    stated = stated_encoding(data)
    if stated:
        return data.decode(stated, errors)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        japanese = any(letter in data for letter in _SHIFT_JIS)
        return _TWICE.sub("", data.decode("cp932" if japanese else "cp1252", errors))
