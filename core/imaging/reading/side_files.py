"""The text file with settings that lies beside a picture."""

from __future__ import annotations

from pathlib import PurePath

from core.imaging.reading.frame import Frame, Source
from core.imaging.scale import only_stated, read_settings

MAX_SIDECAR_BYTES = 1_000_000


def with_sidecar(frame: Frame, source: Source) -> Frame:
    """Return a frame with what the text file beside it states; as it is when there is none.

    What the picture itself says about its scale comes first.
    """
    text = _text_beside(source)
    if text is None or frame.pixel_size is not None:
        return frame
    stated = read_settings(text, frame.pixels.shape[1])
    if stated is None:
        return frame
    pixel_size, fields = stated
    return Frame(frame.pixels, pixel_size, {**frame.metadata, **only_stated(fields)})


def _text_beside(source: Source) -> str | None:
    wanted = f"{PurePath(source.name).stem}.txt".lower()
    for name, data in source.companions.items():
        if PurePath(name).name.lower() == wanted and len(data) <= MAX_SIDECAR_BYTES:
            return _decoded(data)
    return None


def _decoded(data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = data.decode("utf-16" if wide else "latin-1", "replace")
    return text.replace("Â", "").lstrip("\ufeff")
