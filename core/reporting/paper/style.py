"""How a figure for a paper looks: chosen once, for all figures of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

WIDTHS_MM = (85.0, 120.0, 180.0)  # one column, one and a half, two columns of most journals
DPIS = (300, 600)
MM_PER_PT = 25.4 / 72
MM_PER_INCH = 25.4
LEAST_MM, MOST_MM = 20.0, 400.0
_LEAST_PT, _MOST_PT = 4.0, 24.0

# Name → what SVG asks for. Helvetica and Times are known to every PDF reader; Vera is embedded.
FONTS = {
    "Helvetica": "Helvetica, Arial, 'Liberation Sans', sans-serif",
    "Times": "'Times New Roman', Times, 'Liberation Serif', serif",
    "Vera Sans": "'Bitstream Vera Sans', 'DejaVu Sans', Verdana, sans-serif",
}
# Name → paper and ink; no paper is clear.
THEMES: dict[str, tuple[str | None, str]] = {
    "White": ("#ffffff", "#1f2733"),
    "Dark": ("#14191b", "#e6e9ef"),
    "Clear": (None, "#1f2733"),
}


@dataclass(frozen=True, slots=True)
class Style:
    """Width, resolution, letters, lines and colours of a figure.

    Attributes
    ----------
    width_mm : float
        Of the whole figure, 20 to 400.
    dpi : int
        Pixels an inch of a PNG, and of pictures within SVG and PDF; one of `DPIS`.
    font : str
        One of `FONTS`.
    text_pt : float
        Height of the letters in points, 4 to 24.
    line_pt : float
        Width of lines in points, above 0 and up to 6.
    theme : str
        One of `THEMES`.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    width_mm: float = 85.0
    dpi: int = 300
    font: str = "Helvetica"
    text_pt: float = 8.0
    line_pt: float = 0.75
    theme: str = "White"

    def __post_init__(self) -> None:
        if not LEAST_MM <= self.width_mm <= MOST_MM:
            raise ValueError(f"width must be {LEAST_MM:g} to {MOST_MM:g} mm: {self.width_mm}")
        if self.dpi not in DPIS or self.font not in FONTS or self.theme not in THEMES:
            raise ValueError(f"no style of figures: {self}")
        if not _LEAST_PT <= self.text_pt <= _MOST_PT or not 0 < self.line_pt <= 6:
            raise ValueError(f"letters or lines out of range: {self}")

    @property
    def width_px(self) -> int:
        """Pixels across a PNG."""
        return self.to_px(self.width_mm)

    @property
    def paper(self) -> str | None:
        """Colour of the ground, None for none."""
        return THEMES[self.theme][0]

    @property
    def ink(self) -> str:
        """Colour of letters beside pictures."""
        return THEMES[self.theme][1]

    @property
    def text_mm(self) -> float:
        """Height of the letters."""
        return self.text_pt * MM_PER_PT

    def to_px(self, length_mm: float) -> int:
        """Return a length on paper in pixels of a PNG."""
        return round(length_mm * self.dpi / MM_PER_INCH)

    def to_mm(self, length_px: float) -> float:
        """Return pixels of a PNG as a length on paper."""
        return length_px * MM_PER_INCH / self.dpi

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def read(cls, said: object) -> Style:
        """Return the style that plain values state, as a browser keeps them; else the first one."""
        if not isinstance(said, Mapping):
            return cls()
        try:
            return cls(
                width_mm=float(said.get("width_mm", cls().width_mm)),
                dpi=int(said.get("dpi", cls().dpi)),
                font=str(said.get("font", cls().font)),
                text_pt=float(said.get("text_pt", cls().text_pt)),
                line_pt=float(said.get("line_pt", cls().line_pt)),
                theme=str(said.get("theme", cls().theme)),
            )
        except (TypeError, ValueError, OverflowError):
            return cls()
