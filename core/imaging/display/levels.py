"""Grey levels in words."""

from __future__ import annotations

THIN_SPACE = "\u202f"  # between thousands, and before a unit; never at the end of a line
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def write_level(value: float) -> str:
    """Return a grey level as people write it: at most one digit after the point.

    Of 16-bit levels, which have up to five digits, none is written after it, and from 10 000 on a
    thin space stands between thousands, as on the axes. What a detector gives as a physical
    quantity may be as small as "5.11 × 10⁻¹²".
    """
    if 1e4 <= abs(value) < 1e6:
        return f"{value:,.0f}".replace(",", THIN_SPACE)
    if 1e3 <= abs(value) < 1e4:
        return f"{value:.0f}"
    if 1e-4 <= abs(value) < 1e3 or value == 0:
        return f"{value:.1f}".removesuffix(".0") if abs(value) >= 100 else f"{value:.4g}"
    mantissa, _, power = f"{value:.2e}".partition("e")
    return f"{mantissa}{THIN_SPACE}×{THIN_SPACE}10{str(int(power)).translate(_RAISED)}"
