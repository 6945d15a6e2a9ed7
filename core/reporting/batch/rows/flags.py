"""What a person should look at first in a batch, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.imaging.scale import READ_FROM_PICTURE
from core.reporting.batch.rows.listing import SIGNS, words_of
from core.reporting.segmenting import is_unlike_painted

# id -> what it means, for people; in the order of their weight
FLAGS: Mapping[str, str] = {
    "failed": "could not be read or analysed",
    "novel": "no micrograph, or unlike what the network was trained on: its classes may not apply",
    "unlike the painted": "unlike the micrographs whose strokes taught the phases: look at them",
    "low confidence": "more than one class cannot be excluded, or none reaches 50 %",
    "few pixels": "less than 100 px high or wide: too few to trust the class",
    "no evidence": "no part of the frame speaks for the class",
    "overlay alarm": "more than 30 % of the frame was taken for info bar or letters",
    "near-duplicate": "shows the same field as an earlier micrograph",
    "read scale": "the pixel size was read from the picture; no file states it",
    "no pixel size": "lengths and areas are in pixels only",
}
FEW_PX = 100
OVERLAY_PERCENT = 30.0
LOW_PROBABILITY = 0.5


def find_flags(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of what is remarkable about a row of a batch, the gravest first.

    Parameters
    ----------
    row : mapping
        Columns of `BatchResult.rows`; of a failed row only its status is asked for.
    """
    if row["status"] == "failed":
        return ("failed",)
    found = {
        # NaN and None where nothing measures it
        "novel": bool(row.get(SIGNS)) or (row.get("novelty") or 0.0) > 1,
        "unlike the painted": is_unlike_painted(row),
        "low confidence": len(words_of(row["candidates"])) > 1
        or row.get("probability", 1.0) < LOW_PROBABILITY,
        "few pixels": min(row["width_px"], row["height_px"]) < FEW_PX,
        "no evidence": not row["has_evidence"],
        "overlay alarm": row["excluded_percent"] > OVERLAY_PERCENT,
        "near-duplicate": row.get("near_duplicate_of") is not None,
        "read scale": row.get("pixel_size_source") == READ_FROM_PICTURE,
        "no pixel size": not row["pixel_size_nm"] > 0,  # NaN where the file states none
    }
    return tuple(flag for flag in FLAGS if found.get(flag))


def gravity(warnings: str) -> tuple[int, ...]:
    """Return a key that sorts rows by what is grave about them; no warning comes last."""
    order = {flag: place for place, flag in enumerate(FLAGS)}
    places = tuple(order[flag] for flag in words_of(warnings) if flag in order)
    return places or (len(order),)
