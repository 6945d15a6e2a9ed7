"""The file with settings that lies beside a picture."""

from __future__ import annotations

from core.imaging.reading.companions import settings_names
from core.imaging.reading.encodings import decode_text
from core.imaging.reading.frame import Frame, Source
from core.imaging.scale import only_stated, read_settings

MAX_SIDECAR_BYTES = 1_000_000


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
    return [decode_text(data) for data in found if len(data) <= MAX_SIDECAR_BYTES]
