"""What a file may cost before anything of it is decoded."""

from __future__ import annotations

from core.errors import UnreadableMicrograph

MAX_FILE_MB = 200  # a 100-megapixel frame of 16 bits; also the app's upload limit
MAX_FRAME_MEGAPIXELS = 100  # 400 MB as 32-bit floats
MAX_CHANNELS = 4  # red, green, blue, alpha


def check_file_size(size_bytes: int) -> None:
    """Refuse a file that is empty or too large to be read into memory."""
    if size_bytes == 0:
        raise UnreadableMicrograph("The file is empty (0 bytes); export or upload it again.")
    if size_bytes > MAX_FILE_MB * 1_000_000:
        raise UnreadableMicrograph(
            f"The file is {size_bytes / 1e6:.0f} MB; crop it or export it below {MAX_FILE_MB} MB."
        )


def check_frame(height: int, width: int, channels: int = 1) -> None:
    """Refuse a frame whose header announces too many pixels, or none."""
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
