"""How wrong a quantity is read, in words: with a side only where its limits leave out zero."""

from __future__ import annotations

from math import isfinite

from core.measuring.twins.errors import IS_SHARE

_VAGUE, _UNKNOWN = 2.0, 5.0  # times the true value, or that part of it, within the limits
_LEAST = 0.05  # points or per cent: less is right


def tell_error(name: str, what: str, error: float, low: float, high: float) -> str:
    """Return how wrong a quantity is read: "the count is read 8 % too low (−15 to −2 %)".

    Limits of twice the true value and more say no side; beyond five times nothing is known.

    Parameters
    ----------
    name : str
        One of `QUANTITIES`.
    what : str
        What it is called: "the count".
    error, low, high : float
        Measured against true, and its 95 % limits: differences of shares, or shares of the true
        value. NaN where nothing is known.
    """
    if not (isfinite(low) and isfinite(high)):
        return f"how wrong {what} is read is not known"
    times = 1.0 if IS_SHARE[name] else max(1 + high, 1 / max(1 + low, 1e-9))
    if times >= _UNKNOWN:
        return f"how wrong {what} is read is not known"
    unit = "points" if IS_SHARE[name] else "%"
    error, low, high = (100 * each for each in (error, low, high))
    if low <= 0 <= high and times >= _VAGUE:
        return f"{what} is uncertain by a factor of {times:.2g}"
    if low <= 0 <= high:
        return f"{what} is right within {_short(max(-low, high, _LEAST))} {unit}"
    side = "high" if error > 0 else "low"
    limits = f"{_signed(low)} to {_signed(high)} {unit}"
    return f"{what} is read {_short(abs(error))} {unit} too {side} ({limits})"


def _short(value: float) -> str:
    """Return two digits of a number: 0.34, 8, 150."""
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{_short(abs(value))}"
