"""The info bar of an instrument that does not exist, along the lower edge of a sample."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.imaging.simulation.scene import Floats, Mask, f32
from core.micrograph import PixelSize

MAKER = "MICROGRAPHIA SIM"
_BAR_SHARE = 0.062  # of the frame's height
_NICE = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the bar says of the instrument.

    Parameters
    ----------
    kv, wd_mm : float
        High voltage and working distance; no distance (0) in transmission.
    signal : str
        Such as "SE" or "TEM BF".
    """

    kv: float
    wd_mm: float
    signal: str


def bar_height(rows: int) -> int:
    """Return how many of the rows the bar takes."""
    return max(12, round(_BAR_SHARE * rows))


def scale_bar(pixel_size: PixelSize, cols: int) -> tuple[int, str]:
    """Return the length in px of a bar of a round length, and that length in words.

    Like many an instrument's, the font has no µ: micrometres are written um.
    """
    nm = pixel_size.to("nm")
    lengths = [n * unit for unit in (1.0, 1e3, 1e6) for n in _NICE]
    length = max((each for each in lengths if each / nm < 0.2 * cols), default=1.0)
    unit, divide = ("nm", 1.0) if length < 1e3 else ("um", 1e3) if length < 1e6 else ("mm", 1e6)
    return max(1, round(length / nm)), f"{length / divide:g} {unit}"


def draw_info_bar(image: Floats, pixel_size: PixelSize, said: Settings) -> tuple[Floats, Mask]:
    """Return the picture with an info bar over its lower edge, and the pixels it covers.

    Parameters
    ----------
    image : ndarray of shape (H, W), float32 in [0, 1]
    pixel_size : PixelSize
        What the scale bar states.
    said : Settings

    Returns
    -------
    tuple of ndarray
        (H, W) float32 and (H, W) bool.
    """
    rows, cols = image.shape
    height = bar_height(rows)
    strip = Image.new("L", (cols, height), 8)
    pen = ImageDraw.Draw(strip)
    font = ImageFont.load_default(size=max(7, round(0.42 * height)))
    middle, margin = height // 2, round(0.012 * cols)
    pen.line([(0, 0), (cols, 0)], fill=150)
    field = pixel_size.to("nm") * cols
    width = f"{field / 1e3:.3g} um" if field >= 1e3 else f"{field:.3g} nm"
    facts = [MAKER, f"{said.kv:.1f} kV", f"{said.wd_mm:.1f} mm" if said.wd_mm else "", said.signal]
    facts += [f"HFW {width}", "simulated"]
    x = margin
    for fact in filter(None, facts):
        pen.text((x, middle), fact, fill=225, font=font, anchor="lm")
        x += round(pen.textlength(fact, font=font)) + round(0.024 * cols)
    length, words = scale_bar(pixel_size, cols)
    right = cols - margin
    thick = max(2, height // 12)
    pen.rectangle((right - length, height - 3 * thick, right - 1, height - 2 * thick - 1), fill=235)
    pen.text((right - length / 2, 0.36 * height), words, fill=235, font=font, anchor="mm")
    bar = f32(np.asarray(strip)) / 255
    covered = np.zeros(image.shape, np.bool_)
    covered[rows - height :] = True
    drawn = image.copy()
    drawn[rows - height :] = cv2.GaussianBlur(bar, (0, 0), 0.3)
    return drawn, covered
