"""From bytes or a path to a micrograph: the only way in.

The content decides the format, never the name. Everything a decoder can trip over comes out as
`UnreadableMicrograph` with one sentence for the person who gave the file.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from core.errors import UnreadableMicrograph
from core.imaging.frame import Decoder, Frame
from core.imaging.limits import check_file_size
from core.imaging.raster import RASTER
from core.imaging.tiff import TIFF
from core.micrograph import Micrograph

READABLE = "PNG, JPEG, BMP or TIFF"
_DECODERS = (RASTER, TIFF)
_HEAD_BYTES = 16

_log = logging.getLogger(__name__)


def read_micrograph(source: bytes | Path, name: str | None = None, *, frame: int = 0) -> Micrograph:
    """Read one frame in its native depth, with its scale where the file states one.

    Parameters
    ----------
    source : bytes or Path
        A whole file or where it lies. PNG, JPEG, BMP or TIFF, told by their content.
    name : str or None
        A label for people; the file's name when None.
    frame : int
        Counted from 0; see `frame_count`.

    Returns
    -------
    Micrograph
        8- and 16-bit levels as stored; other integers and floats as 32-bit float, infinities as
        NaN; colour as luminance (ITU-R BT.601) unless its channels are equal. What was converted
        is said in `metadata["conversion"]`. The digest is that of the file's bytes, followed by
        "#" and the frame's number for any frame but the first.

    Raises
    ------
    UnreadableMicrograph
        If the file cannot be read or exceeds the limits of `core.imaging.limits`.
    ValueError
        If `frame` is negative.
    """
    if frame < 0:
        raise ValueError(f"frames are counted from 0, got {frame}")
    data, label = _load(source)
    decoder = _decoder_for(data)
    decoded, frames = _decode(decoder, data, frame)
    metadata = dict(decoded.metadata)
    if frames > 1:
        metadata |= {"frames": frames, "frame": frame}
    digest = hashlib.sha256(data)
    if frame:
        digest.update(f"#{frame}".encode())
    return Micrograph(
        name or label, decoded.pixels, decoded.pixel_size, metadata, digest.hexdigest()
    )


def frame_count(source: bytes | Path) -> int:
    """Return how many frames a file holds, without decoding any.

    Raises
    ------
    UnreadableMicrograph
        If the file is none that `read_micrograph` reads.
    """
    data, _ = _load(source)
    decoder = _decoder_for(data)
    try:
        return decoder.count(data)
    except Exception as error:
        raise _as_user_error(error) from error


def _load(source: bytes | Path) -> tuple[bytes, str]:
    """Return the bytes and a label, after the limit on size."""
    if isinstance(source, Path):
        try:
            if source.is_dir():
                raise UnreadableMicrograph(f"“{source.name}” is a folder; give the files in it.")
            check_file_size(source.stat().st_size)
            return source.read_bytes(), source.name
        except FileNotFoundError as error:
            raise UnreadableMicrograph(
                f"There is no file “{source.name}”; check the path."
            ) from error
        except OSError as error:
            raise UnreadableMicrograph(
                f"“{source.name}” cannot be opened ({error.strerror}); check that it may be read."
            ) from error
    if not isinstance(source, bytes | bytearray | memoryview):
        raise TypeError(f"source must be bytes or a Path, got {type(source).__name__}")
    data = bytes(source)
    check_file_size(len(data))
    return data, "micrograph"


def _decoder_for(data: bytes) -> Decoder:
    head = data[:_HEAD_BYTES]
    for decoder in _DECODERS:
        if decoder.recognises(head):
            return decoder
    raise UnreadableMicrograph(
        f"The file is not a picture of a kind that is read here; export it as {READABLE}."
    )


def _decode(decoder: Decoder, data: bytes, frame: int) -> tuple[Frame, int]:
    """Return the frame and the number of frames; every failure as a sentence."""
    try:
        frames = decoder.count(data)
        if frame >= frames:
            raise UnreadableMicrograph(
                f"The file has no frame {frame}; it holds {frames}, counted from 0."
            )
        return decoder.decode(data, frame), frames
    except Exception as error:
        raise _as_user_error(error) from error


def _as_user_error(error: Exception) -> UnreadableMicrograph:
    """Return the sentence for whatever a decoder raised; the log keeps the cause."""
    if isinstance(error, UnreadableMicrograph):
        return error
    _log.info("a decoder failed", exc_info=error)
    if isinstance(error, MemoryError):
        return UnreadableMicrograph("The picture does not fit into memory; crop it first.")
    return UnreadableMicrograph(
        f"The file is cut short, damaged or of an unusual kind; export it again as {READABLE}."
    )
