"""What was understood of a file, as plain values and as a table for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.imaging.overlays import find_overlays
from core.imaging.reading.opening import frame_labels, read_micrograph
from core.imaging.scale import describe_instrument, describe_scale, specimen_field

_COLUMNS: dict[str, Callable[[Mapping[str, Any]], str]] = {  # title: from an entry to its text
    "File": lambda entry: entry["file"],
    "Frames": lambda entry: str(entry["frames"]),
    "W × H (px)": lambda entry: f"{entry['width_px']} × {entry['height_px']}",
    "Depth": lambda entry: entry["depth"],
    "Pixel size": lambda entry: entry["pixel_size"] or "–",
    "Field of view": lambda entry: " × ".join(entry["field_of_view"]),
    "Microscope": lambda entry: entry["instrument"].get("Microscope", "–"),
    "Voltage": lambda entry: entry["instrument"].get("Voltage", "–"),
    "WD": lambda entry: entry["instrument"].get("Working distance", "–"),
    "Magnification": lambda entry: entry["instrument"].get("Magnification", "–"),
    "Detector": lambda entry: entry["instrument"].get("Detector", "–"),
    "Date": lambda entry: entry["instrument"].get("Date", "–"),
}


def understand(path: Path) -> dict[str, Any]:
    """Return what a file says about its first image, as plain values.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        file, frames, labels, height_px, width_px, depth, pixel_size (text or None),
        pixel_size_nm, scale (who states it, or why there is none), field_of_view (width and
        height of the specimen, without info bars), instrument (label to value), sha256 and
        metadata; or file and error.
    """
    try:
        labels = frame_labels(path)
        micrograph = read_micrograph(path)
    except UserError as error:
        return {"file": str(path), "error": str(error)}
    size = micrograph.pixel_size
    return {
        "file": str(path),
        "frames": len(labels),
        "labels": labels,
        "height_px": micrograph.shape[0],
        "width_px": micrograph.shape[1],
        "depth": micrograph.depth,
        "pixel_size": str(size) if size else None,
        "pixel_size_nm": size.to("nm") if size else None,
        "scale": describe_scale(micrograph),
        "field_of_view": list(specimen_field(find_overlays(micrograph), size)),
        "instrument": describe_instrument(micrograph),
        "sha256": micrograph.sha256,
        "metadata": dict(micrograph.metadata),
    }


def as_table(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return a row per readable file, then a line per unreadable one or unknown scale."""
    readable = [entry for entry in entries if "error" not in entry]
    lines = _aligned([list(_COLUMNS), *(_row(entry) for entry in readable)]) if readable else []
    lines += [f"{entry['file']}: {entry['scale']}" for entry in readable if not entry["pixel_size"]]
    lines += [f"{entry['file']}: {entry['error']}" for entry in entries if "error" in entry]
    return "\n".join(lines)


def _row(entry: Mapping[str, Any]) -> list[str]:
    return [str(shown(entry)) for shown in _COLUMNS.values()]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
