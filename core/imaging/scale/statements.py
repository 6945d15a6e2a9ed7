"""What one program states about the scale, and what follows from all that a file states.

A pixel size is taken from a statement about a picture of the size that is shown. Settings stay in a
file when the picture is made smaller or cut, so the picture that a statement speaks of is compared
with the one that is there. Statements that contradict each other give no pixel size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.imaging.scale.units import Calibration, Fields, from_edges, only_stated
from core.imaging.scale.words import STATED_SIZES

AGREEMENT = 0.01  # two statements that differ by more contradict each other
_BAR_SHARE = 0.2  # of the rows: what an info bar adds below, where a file does not say


@dataclass(frozen=True, slots=True)
class Statement:
    """Edges of one pixel as one program states them.

    Parameters
    ----------
    program : str
        Who states it.
    x_m, y_m : float or None
        Metres; None where nothing is said.
    width_px, height_px : int or None
        Of the picture that it is stated for.
    bar_px : int or None
        Rows of an info bar below that picture; None when the file does not say.
    tolerance : float
        Relative error of the statement itself, such as a bar counted in whole pixels.
    fields : dict
        Of voltage, detector and so on; "calibration" says why there is no scale.
    """

    program: str
    x_m: float | None = None
    y_m: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    bar_px: int | None = None
    tolerance: float = AGREEMENT
    fields: Fields = field(default_factory=dict)

    @property
    def has_edge(self) -> bool:
        """Whether it states a length."""
        return self.x_m is not None and 0 < self.x_m < 1

    def fits(self, width_px: int, height_px: int) -> bool:
        """Tell whether it speaks of a picture of this size."""
        if self.width_px is not None and self.width_px != width_px:
            return False
        if self.height_px is None:
            return True
        bar_px = round(_BAR_SHARE * self.height_px) if self.bar_px is None else self.bar_px
        return self.height_px <= height_px <= self.height_px + bar_px


def calibrated(program: str, calibration: Calibration) -> Statement:
    """Return the statement behind a pixel size that was found together with its fields."""
    size, fields = calibration
    return Statement(program, None if size is None else size.to("m"), fields=fields)


def settle(statements: Sequence[Statement], width_px: int, height_px: int) -> Calibration:
    """Return the pixel size that the statements agree on, or why there is none.

    Parameters
    ----------
    statements : sequence of Statement
        The one that names its program first.
    width_px, height_px : int
        Of the picture as it is stored.

    Returns
    -------
    pixel_size : PixelSize or None
    fields : dict
        Those of all statements, earlier ones first; "calibration" is who states the scale or why
        there is none.
    """
    fields: Fields = {}
    for statement in reversed(statements):
        fields |= only_stated(statement.fields)
    fitting, reasons = [], []
    for statement in statements:
        reason = _objection(statement, width_px, height_px)
        if reason:
            reasons.append(reason)
        elif statement.has_edge:
            fitting.append(statement)
    if not fitting:
        return None, fields | ({"calibration": reasons[0]} if reasons else {})
    fields.pop("calibration", None)
    first, contradiction = fitting[0], _contradiction(fitting)
    if contradiction:
        stated = tuple((s.program, s.x_m * 1e9) for s in fitting if s.x_m is not None)
        return None, fields | {"calibration": contradiction, STATED_SIZES: stated}
    turned = not first.fits(width_px, height_px)
    size, source = from_edges(first.x_m, first.y_m, first.program)
    if turned and size is not None:
        source = {"calibration": f"{first.program} (the picture was turned by 90° since)"}
    return size, fields | source


def _objection(statement: Statement, width_px: int, height_px: int) -> str:
    """Return why a statement does not count for this picture, "" when it does."""
    if not statement.has_edge:
        return str(statement.fields.get("calibration", ""))
    if statement.fits(width_px, height_px):
        return ""
    known = statement.height_px is not None and statement.width_px is not None
    if known and statement.fits(height_px, width_px):
        return ""  # turned: the pixels are what they were
    if statement.width_px not in (None, width_px):
        stated = f"{statement.width_px} pixels wide"
    else:
        stated = f"{statement.height_px} pixels high"
    return (
        f"no pixel size: what {statement.program} states is for one {stated}, this picture has "
        f"{width_px} × {height_px} pixels (made smaller or cut since)"
    )


def _contradiction(statements: Sequence[Statement]) -> str:
    """Return the sentence about the first two that disagree, "" when all agree."""
    first = statements[0]
    for other in statements[1:]:
        if first.x_m is None or other.x_m is None:
            continue
        if abs(other.x_m / first.x_m - 1) > max(first.tolerance, other.tolerance):
            return (
                f"no pixel size: {first.program} states {first.x_m * 1e9:.4g} nm and "
                f"{other.program} {other.x_m * 1e9:.4g} nm; set the right one by hand"
            )
    return ""


def whole(value: object) -> int | None:
    """Return a number of pixels; None for anything that is none."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return int(found) if 0 < found < 1e6 and found == int(found) else None
