"""The file with settings that lies beside a picture."""

from __future__ import annotations

import contextlib

from core.imaging.reading.companions import settings_names
from core.imaging.reading.frame import Frame, Source
from core.imaging.scale import only_stated, read_settings

MAX_SIDECAR_BYTES = 1_000_000
_SHIFT_JIS = ("μ".encode("cp932"), "\u212b".encode("cp932"))  # the letters that units need


def with_sidecar(frame: Frame, source: Source) -> Frame:
    """Return a frame with what the file beside it states; as it is when there is none.

    What the picture itself says about its scale comes first.
    """
    if frame.pixel_size is not None:
        return frame
    height, width = frame.stored_shape or frame.pixels.shape
    for text in _texts_beside(source):
        stated = read_settings(text, width, height)
        if stated is not None:
            pixel_size, fields = stated
            return Frame(frame.pixels, pixel_size, {**frame.metadata, **only_stated(fields)})
    return frame


def _texts_beside(source: Source) -> list[str]:
    beside = {
        name.replace("\\", "/").rpartition("/")[2].lower(): data
        for name, data in source.companions.items()
    }
    found = [beside[key] for name in settings_names(source.name) if (key := name.lower()) in beside]
    return [_decoded(data) for data in found if len(data) <= MAX_SIDECAR_BYTES]


def _decoded(data: bytes) -> str:
    """Return the text, whichever of the usual encodings it is in."""
    wide = _wide_encoding(data)
    if wide:
        return data.decode(wide, "replace").lstrip("\ufeff")
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode("utf-8").lstrip("\ufeff")
    if any(letter in data for letter in _SHIFT_JIS):
        return data.decode("cp932", "replace")
    return data.decode("latin-1").replace("Â", "")


def _wide_encoding(data: bytes) -> str:
    """Tell UTF-16 by its mark or, without one, by every other byte of plain text being zero."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = data[:400]
    if len(head) < 8 or 2 * head.count(0) < 0.8 * len(head):
        return ""
    return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
