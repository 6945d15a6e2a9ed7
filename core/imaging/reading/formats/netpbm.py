"""PBM, PGM, PPM and PFM: grey levels exactly as stored, whatever their largest value."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph
from core.imaging.reading.frame import Decoder, Frame, Source, to_grey
from core.imaging.reading.limits import check_frame, check_frame_number

_KINDS = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"PF", b"Pf")
_SPACE = b" \t\r\n"
_WORD = re.compile(rb"[^ \t\r\n#]{1,20}")
_GAP = re.compile(rb"[ \t\r\n]+|#[^\r\n]{0,70000}[\r\n]")
_MAX_HEADER_BYTES = 70_000  # with its comments; the numbers take 30
_MAX_TEXT_NUMBERS = 4_000_000
_MAX_COMMENT_BYTES = 100_000
_CUT_SHORT = "The picture is cut short or damaged; copy or export it again."

Values = NDArray[Any]


def _recognises(head: bytes) -> bool:
    return head[:2] in _KINDS and head[2:3] != b"" and head[2:3] in _SPACE + b"#"


def _labels(source: Source) -> list[str]:
    return ["picture"]


def _decode(source: Source, frame: int) -> tuple[Frame, int]:
    check_frame_number(frame, 1)
    kind = source.data[:2]
    values = _floats(source.data) if kind in (b"PF", b"Pf") else _integers(source.data, kind)
    pixels, notes = to_grey(values)
    metadata = {"format": _name(kind), "bit_depth": _describe(values)}
    if notes:
        metadata["conversion"] = "; ".join(notes)
    return Frame(pixels, None, metadata), 1


def _name(kind: bytes) -> str:
    names = {b"1": "PBM", b"4": "PBM", b"2": "PGM", b"5": "PGM", b"3": "PPM", b"6": "PPM"}
    return names.get(kind[1:], "PFM")


def _describe(values: Values) -> str:
    bits = {"bool": "1-bit", "uint8": "8-bit", "uint16": "16-bit"}.get(values.dtype.name, "32-bit")
    return f"{bits} {'colour' if values.ndim == 3 else 'grey'}"


def _tokens(data: bytes, count: int) -> tuple[list[bytes], int]:
    """Return the header's words after the magic, and where the one space behind them ends."""
    found, at = [], 2
    head = data[:_MAX_HEADER_BYTES]
    for _ in range(count):
        while gap := _GAP.match(head, at):
            at = gap.end()
        match = _WORD.match(head, at)
        if match is None:
            raise UnreadableMicrograph(_CUT_SHORT)
        found.append(match[0])
        at = match.end()
    return found, at + 1


def _whole(token: bytes) -> int:
    if not token.isdigit() or len(token) > 9:
        raise UnreadableMicrograph(_CUT_SHORT)
    return int(token)


def _integers(data: bytes, kind: bytes) -> Values:
    """P1 to P6: width, height and, but for bits, the largest value; then text or bytes."""
    bits, text = kind in (b"P1", b"P4"), kind in (b"P1", b"P2", b"P3")
    words, start = _tokens(data, 2 if bits else 3)
    width, height = _whole(words[0]), _whole(words[1])
    check_frame(height, width)
    largest = 1 if bits else _whole(words[2])
    if not 1 <= largest <= 65_535:
        raise UnreadableMicrograph(_CUT_SHORT)
    shape = (height, width, 3) if kind in (b"P3", b"P6") else (height, width)
    if kind == b"P4":
        return _packed_bits(data, start, height, width)
    count = int(np.prod(shape))
    if text:
        values = _text_values(data[start - 1 :], count, bits)
    else:
        stored = np.dtype("u1" if largest < 256 else ">u2")
        values = _stored(data, stored, count, start)
    if values.max() > largest:
        raise UnreadableMicrograph(_CUT_SHORT)
    values = values.astype(np.uint8 if largest < 256 else np.uint16).reshape(shape)
    return np.asarray(values == 0) if bits else values


def _stored(data: bytes, stored: np.dtype[Any], count: int, start: int) -> Values:
    if start + count * stored.itemsize > len(data):
        raise UnreadableMicrograph(_CUT_SHORT)
    return np.frombuffer(data, stored, count, start)


def _packed_bits(data: bytes, start: int, height: int, width: int) -> Values:
    """P4: rows of bits, each filled up to a byte; one is black."""
    per_row = (width + 7) // 8
    rows = _stored(data, np.dtype("u1"), height * per_row, start).reshape(height, per_row)
    return np.asarray(np.unpackbits(rows, axis=1)[:, :width] == 0)


def _text_values(text: bytes, count: int, bits: bool) -> Values:
    """P1 to P3: decimal numbers; bits may follow each other without a space."""
    if count > _MAX_TEXT_NUMBERS:
        raise UnreadableMicrograph(
            "The picture is too large for numbers written as text; export it as binary PGM."
        )
    plain = re.sub(rb"#[^\r\n]*", b" ", text[: 16 * count + _MAX_COMMENT_BYTES])
    words = (
        re.findall(rb"[01]", plain[: 4 * count + _MAX_COMMENT_BYTES])
        if bits
        else plain.split(maxsplit=count)[:count]
    )
    if len(words) < count or not all(word.isdigit() and len(word) < 6 for word in words[:count]):
        raise UnreadableMicrograph(_CUT_SHORT)
    return np.array(words[:count]).astype(np.int64)


def _floats(data: bytes) -> Values:
    """PFM: rows from the bottom up; a negative scale says that the smaller byte comes first."""
    words, start = _tokens(data, 3)
    width, height = _whole(words[0]), _whole(words[1])
    check_frame(height, width)
    try:
        scale = float(words[2])
    except ValueError as error:
        raise UnreadableMicrograph(_CUT_SHORT) from error
    shape = (height, width, 3) if data[:2] == b"PF" else (height, width)
    stored = np.dtype("<f4" if scale < 0 else ">f4")
    values = _stored(data, stored, int(np.prod(shape)), start)
    native = values.astype(stored.newbyteorder("<" if sys.byteorder == "little" else ">"))
    return native.reshape(shape)[::-1]


NETPBM = Decoder(_recognises, _labels, _decode)
