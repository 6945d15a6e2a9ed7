"""What the settings say that microscopes write as text beside each picture."""

from __future__ import annotations

from core.imaging.scale.makers.fei import read_phenom
from core.imaging.scale.makers.hitachi import SECTIONS, read_hitachi
from core.imaging.scale.makers.jeol import read_jeol_settings
from core.imaging.scale.makers.tescan import read_tescan_header
from core.imaging.scale.statements import settle
from core.imaging.scale.units import Calibration, only_stated

_MAX_CHARACTERS = 1_000_000


def read_settings(text: str, width_px: int, height_px: int | None = None) -> Calibration | None:
    """Return the pixel size and the fields of a settings file; None when it is none.

    Parameters
    ----------
    text : str
        Of Hitachi, JEOL or TESCAN.
    width_px, height_px : int
        Of the picture beside it: settings for another one give no pixel size.
    """
    text = text[:_MAX_CHARACTERS]
    if any(section in text for section in SECTIONS):
        statements = read_hitachi(text)
    elif "$CM_" in text:
        statements = read_jeol_settings(text)
    elif "PixelSizeX" in text and "[MAIN]" in text.upper():
        statements = read_tescan_header(text)
    else:
        return None
    stated = next((one for one in statements if one.height_px is not None), None)
    rows = height_px if height_px is not None else (stated.height_px if stated else 1) or 1
    return settle(statements, width_px, rows)


def read_appended(text: str, width_px: int, height_px: int) -> Calibration:
    """Return what a Phenom states behind the end of its JPEG; nothing for other text."""
    if "<FeiImage" not in text:
        return None, {}
    pixel_size, fields = settle(read_phenom(text), width_px, height_px)
    return pixel_size, only_stated(fields)
