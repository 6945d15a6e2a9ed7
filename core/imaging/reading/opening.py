"""From bytes or a path to a micrograph: the only way in.

The content decides the format, never the name. Everything a decoder can trip over comes out as
`UnreadableMicrograph` with one sentence for the person who gave the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path, PurePath

from core.errors import UnreadableMicrograph, UserError
from core.imaging.reading import companions as companions_
from core.imaging.reading.formats.netpbm import NETPBM
from core.imaging.reading.formats.npy import NPY
from core.imaging.reading.formats.raster import RASTER
from core.imaging.reading.formats.tiff import TIFF
from core.imaging.reading.frame import HEAD_BYTES, Decoder, Frame, Source
from core.imaging.reading.instruments.native import NATIVE, series_of
from core.imaging.reading.limits import MAX_FILE_MB, check_file_size
from core.imaging.reading.side_files import MAX_SIDECAR_BYTES, with_sidecar
from core.imaging.reading.stores import is_store_folder, pack_store_folder
from core.micrograph import Micrograph

READABLE = "PNG, JPEG, BMP or TIFF"
# For file dialogues only: the content decides.
SUFFIXES = (
    *(
        "png",
        "jpg",
        "jpeg",
        "bmp",
        "webp",
        "gif",
        "jp2",
        "j2k",
        "pgm",
        "ppm",
        "pbm",
        "pnm",
        "pfm",
        "tif",
        "tiff",
        "npy",
    ),
    *("dm3", "dm4", "dm5", "emd", "ser", "emi", "mrc", "mrcs", "rec", "st", "map"),
    *("hspy", "zspy", "h5oina", "h5", "hdf5", "nxs", "bcf", "elid", "img", "prz", "czi"),
)
COMPANION_SUFFIXES = companions_.SUFFIXES
_DECODERS = (RASTER, TIFF, NETPBM, NPY, NATIVE)

_log = logging.getLogger(__name__)


def read_micrograph(
    source: bytes | Path,
    name: str | None = None,
    *,
    frame: int = 0,
    companions: Mapping[str, bytes] | None = None,
) -> Micrograph:
    """Read one frame in its native depth, with its scale where the file states one.

    Parameters
    ----------
    source : bytes or Path
        A whole file or where it lies. PNG, JPEG, BMP, WebP, GIF, JPEG 2000, PGM/PPM/PFM, TIFF,
        Gatan DM3/DM4/DM5, Velox or Berkeley EMD, TIA SER and EMI, MRC, HyperSpy's .hspy and .zspy
        (a zarr store: also its folder), Oxford H5OINA, NeXus, Delmic HDF5,
        Bruker BCF, JEOL IMG, Phenom ELID, CEOS PRZ, Zeiss CZI (where pylibCZIrw is installed) or
        NPY, told by their content.
    name : str or None
        A label for people; the file's name when None. Also compared with those of `companions`.
    frame : int
        Counted from 0 over all images in the file; see `frame_labels`.
    companions : mapping of str to bytes or None
        Files by name that were given together with this one: the .emi of a .ser, the .ser of an
        .emi, the .txt with settings of a Hitachi or JEOL picture; others are ignored. When None
        and `source` is a Path, they are looked for beside it.

    Returns
    -------
    Micrograph
        8- and 16-bit levels as stored; other integers and floats as 32-bit float, infinities as
        NaN; colour as luminance (ITU-R BT.601) unless its channels are equal; complex values, such
        as Fourier transforms, as log(1 + magnitude). What was converted is said in
        `metadata["conversion"]`, who states the scale or why there is none in
        `metadata["calibration"]`. The digest is that of the file's bytes (for an .emi also of its
        .ser), followed by "#" and the frame's number for any frame but the first.

    Raises
    ------
    UnreadableMicrograph
        If the file cannot be read, holds no image or exceeds the limits of `limits`.
    ValueError
        If `frame` is negative.
    """
    if frame < 0:
        raise ValueError(f"frames are counted from 0, got {frame}")
    given, label = _load(source, name, companions)
    decoded, frames = _decode(_decoder_for(given.data), given, frame)
    decoded = with_sidecar(decoded, given)
    metadata = dict(decoded.metadata)
    if frames > 1:
        metadata |= {"frames": frames, "frame": frame}
    return Micrograph(label, decoded.pixels, decoded.pixel_size, metadata, _digest(given, frame))


def frame_labels(
    source: bytes | Path,
    name: str | None = None,
    *,
    companions: Mapping[str, bytes] | None = None,
) -> list[str]:
    """Return a name for each image in a file, in the order of `read_micrograph`'s frames.

    Parameters
    ----------
    source, name, companions
        As for `read_micrograph`.

    Returns
    -------
    list of str
        Such as "HAADF, frame 3" or "page 2"; at most 512. None of them is decoded, though some
        formats have to be read for it.

    Raises
    ------
    UnreadableMicrograph
        If the file is none that `read_micrograph` reads.
    """
    given, _ = _load(source, name, companions)
    decoder = _decoder_for(given.data)
    try:
        return decoder.labels(given)
    except Exception as error:
        raise _as_user_error(error) from error


def _digest(source: Source, frame: int) -> str:
    digest = hashlib.sha256(source.data)
    for series in series_of(source).values():
        digest.update(series)
    if frame:
        digest.update(f"#{frame}".encode())
    return digest.hexdigest()


def _load(
    source: bytes | Path, name: str | None, companions: Mapping[str, bytes] | None
) -> tuple[Source, str]:
    """Return the bytes with what belongs to them, and a label, after the limit on size."""
    if isinstance(source, Path):
        data = _read(source)
        beside = _beside(source) if companions is None else companions
        return Source(data, source.name, beside), name or source.name
    if not isinstance(source, bytes | bytearray | memoryview):
        raise TypeError(f"source must be bytes or a Path, got {type(source).__name__}")
    data = bytes(source)
    check_file_size(len(data))
    return Source(data, name or "", companions or {}), name or "micrograph"


def _read(path: Path) -> bytes:
    """Return a file's bytes; every failure as a sentence."""
    try:
        if is_store_folder(path):
            return pack_store_folder(path)
        if path.is_dir():
            raise UnreadableMicrograph(f"“{path.name}” is a folder; give the files in it.")
        check_file_size(path.stat().st_size)
        return path.read_bytes()
    except (FileNotFoundError, ValueError) as error:  # a name that no file can have
        raise UnreadableMicrograph(f"There is no file “{path.name}”; check the path.") from error
    except OSError as error:
        raise UnreadableMicrograph(
            f"“{path.name}” cannot be opened ({error.strerror}); check that it may be read."
        ) from error


def paths_beside(path: Path) -> list[Path]:
    """Return where the files lie, if they are there, that are read together with this one."""
    return [
        path.with_name(name)
        for wanted in companions_.companion_names(path.name)
        for name in (wanted, wanted[: -len(PurePath(wanted).suffix)] + wanted[-4:].upper())
    ]


def _beside(path: Path) -> dict[str, bytes]:
    """Return the files in the same folder that may belong to this one."""
    suffix = path.suffix.lower()
    most = MAX_SIDECAR_BYTES if suffix not in (".ser", ".emi") else MAX_FILE_MB * 1_000_000
    found = {}
    for other in paths_beside(path):
        with contextlib.suppress(OSError):
            if other.is_file() and other.stat().st_size <= most:
                most -= other.stat().st_size
                found[other.name] = other.read_bytes()
    return found


def _decoder_for(data: bytes) -> Decoder:
    head = data[:HEAD_BYTES]
    for decoder in _DECODERS:
        if decoder.recognises(head):
            return decoder
    if head.startswith(b"PK\3\4"):
        raise UnreadableMicrograph("The file is an archive; give it where folders are opened.")
    raise UnreadableMicrograph(
        f"The file is not a picture of a kind that is read here; export it as {READABLE}."
    )


def _decode(decoder: Decoder, source: Source, frame: int) -> tuple[Frame, int]:
    """Return the frame and the number of frames; every failure as a sentence."""
    try:
        return decoder.decode(source, frame)
    except Exception as error:
        raise _as_user_error(error) from error


def _as_user_error(error: Exception) -> UserError:
    """Return the sentence for whatever a decoder raised; the log keeps the cause."""
    if isinstance(error, UserError):
        return error
    _log.info("a decoder failed", exc_info=error)
    if isinstance(error, MemoryError):
        return UnreadableMicrograph("The picture does not fit into memory; crop it first.")
    return UnreadableMicrograph(
        f"The file is cut short, damaged or of an unusual kind; export it again as {READABLE}."
    )
