"""OME-TIFF: the Pixels element whose TiffData names the page."""

from __future__ import annotations

from collections.abc import Iterator

import tifffile

from core.imaging.scale.makers.text import tags
from core.imaging.scale.statements import Statement, calibrated, whole
from core.imaging.scale.units import from_axes, number

_REASON = "no pixel size: the OME description does not say which of its images this page is"


def read_ome(xml: str, page: tifffile.TiffPage) -> list[Statement]:
    """Return what the description states about a page; micrometres unless a unit is said."""
    images = list(_images(xml))
    if not images:
        return []
    own = [pixels for pixels, planes in images if _claims(planes, page.index)]
    if not own and len(images) == 1 and not images[0][1]:
        own = [images[0][0]]
    if not own:
        return [Statement("OME", fields={"calibration": _REASON})]
    return [_stated(pixels) for pixels in own]


def _images(xml: str) -> Iterator[tuple[dict[str, str], list[dict[str, str]]]]:
    """Yield the attributes of each Pixels element and of its TiffData."""
    pixels: dict[str, str] | None = None
    planes: list[dict[str, str]] = []
    for name, values in tags(xml, "Pixels", "TiffData"):
        if name == "TiffData":
            planes.append(values)
            continue
        if pixels is not None:
            yield pixels, planes
        pixels, planes = values, []
    if pixels is not None:
        yield pixels, planes


def _claims(planes: list[dict[str, str]], index: int) -> bool:
    """Tell whether a page is among those that TiffData elements name."""
    for plane in planes:
        first = number(plane.get("IFD"))
        count = number(plane.get("PlaneCount"))
        start = 0 if first is None else int(first)
        if first is None and count is None:
            return True  # all pages of the file
        if start <= index < start + (1 if count is None else int(count)):
            return True
    return False


def _stated(pixels: dict[str, str]) -> Statement:
    x, y = pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeY")
    unit_x = pixels.get("PhysicalSizeXUnit")
    if unit_x is None and number(x) == 1:
        return Statement("OME")  # what programs write that know none
    size, fields = from_axes(x, y, unit_x or "µm", "OME", pixels.get("PhysicalSizeYUnit") or "µm")
    said = calibrated("OME", (size, fields))
    return Statement(
        "OME",
        said.x_m,
        None,
        whole(pixels.get("SizeX")),
        whole(pixels.get("SizeY")),
        0,
        fields={} if size else fields,
    )
