"""What a file may cost before anything of it is decoded."""

from __future__ import annotations

from core.errors import UnreadableMicrograph
from core.imaging.memory import require_memory

MAX_FILE_MB = 200  # a 100-megapixel frame of 16 bits; what the app takes of a micrograph, too
MAX_FRAME_MEGAPIXELS = 100  # 400 MB as 32-bit floats
MAX_FRAME_MB = (
    400  # decoded and as stored: doubles and 16-bit colours reach it before the pixels do
)
MAX_CHANNELS = 4  # red, green, blue, alpha
MAX_FRAMES = 512  # listed and read of one file
MAX_ARCHIVE_ENTRIES = 2000
MAX_ARCHIVE_MB = 1000  # of all entries together, unpacked
MAX_ARCHIVE_RATIO = 200  # unpacked to packed: micrographs reach 20, bombs start at 1000
DECODING_BYTES_PER_VALUE = 12  # while a frame is decoded, several copies of it are there
DECODING_CPU_S = 3.0  # in the separate process, for a small file
DECODING_CPU_S_PER_MB = 0.08
DECODING_WALL_S = 20.0  # where other work shares the machine
DECODING_IDLE_S = 120.0  # then the process ends, and its memory is free for others
DECODING_MEMORY_MB = 2000  # address space of that process, of which 230 MB are there at the start
DECODING_WORK_MB = 1700  # of it, for one file
DECODING_WORK_BASE_MB = 64  # what a small file takes, where the host states a limit …
DECODING_WORK_PER_BYTE = 16  # … and for each byte of the file; a file that unpacks to more waits
DECODING_LIBRARIES_MB = 100  # of addresses, for what is loaded only when a format asks for it


def check_file_size(size_bytes: int) -> None:
    """Refuse a file that is empty or too large to be read into memory."""
    if size_bytes == 0:
        raise UnreadableMicrograph("The file is empty (0 bytes); export or upload it again.")
    if size_bytes > MAX_FILE_MB * 1_000_000:
        raise UnreadableMicrograph(
            f"The file is {size_bytes / 1e6:.0f} MB; crop it or export it below {MAX_FILE_MB} MB."
        )


def check_frame(height: int, width: int, channels: int = 1) -> None:
    """Refuse a frame whose header announces too many pixels, or none; or more than there is room.

    Raises
    ------
    UnreadableMicrograph, OutOfMemory
    """
    if height < 1 or width < 1:
        raise UnreadableMicrograph("The picture has no pixels; export it again.")
    megapixels = height * width / 1e6
    if megapixels > MAX_FRAME_MEGAPIXELS:
        raise UnreadableMicrograph(
            f"The picture is {megapixels:.0f} megapixels ({width} × {height}); crop it or export "
            f"it below {MAX_FRAME_MEGAPIXELS}."
        )
    if channels > MAX_CHANNELS:
        raise UnreadableMicrograph(
            f"The picture has {channels} channels per pixel; export one of them as a grey picture."
        )
    require_memory(DECODING_BYTES_PER_VALUE * height * width * channels)


def check_frame_bytes(decoded_bytes: int) -> None:
    """Refuse a frame that takes too much memory once it is decoded, as it is stored."""
    if decoded_bytes > MAX_FRAME_MB * 1_000_000:
        raise UnreadableMicrograph(
            f"The picture takes {decoded_bytes / 1e6:.0f} MB of memory; crop it or export it as "
            f"16-bit grey, below {MAX_FRAME_MB} MB."
        )


def listed(frames: int) -> int:
    """Return how many of a file's frames are offered."""
    return min(frames, MAX_FRAMES)


def check_frame_number(frame: int, frames: int) -> None:
    """Refuse a frame that a file does not have, or that is beyond those listed."""
    if frame >= frames:
        raise UnreadableMicrograph(
            f"The file has no frame {frame}; it holds {frames}, counted from 0."
        )
    if frame >= MAX_FRAMES:
        raise UnreadableMicrograph(
            f"Only the first {MAX_FRAMES} of the file's {frames} frames are read; "
            "export the others on their own."
        )


def decoding_cpu_s(file_bytes: int) -> float:
    """Return the processor time that opening a file of an instrument may take, in seconds."""
    return DECODING_CPU_S + DECODING_CPU_S_PER_MB * file_bytes / 1e6


def decoding_work_bytes(file_bytes: int) -> int:
    """Return the memory that decoding a file of an instrument is expected to take, in bytes."""
    return DECODING_WORK_BASE_MB * 1_000_000 + DECODING_WORK_PER_BYTE * file_bytes
