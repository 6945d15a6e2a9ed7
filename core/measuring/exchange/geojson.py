"""Regions as GeoJSON, as QuPath, napari and geographic programs read them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.measuring.exchange.polygons import Outline, Ring, trace_labels


def geojson_bytes(
    labels: NDArray[np.integer], table: pd.DataFrame | None = None, *, phase: str = "region"
) -> bytes:
    """Return a FeatureCollection with one polygon (or several) per label.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integers
        0 where there is nothing.
    table : DataFrame, optional
        With a column ``label``, as `measure_labels` returns it: its numbers become the features'
        measurements. Labels that it leaves out, such as cut ones, are left out.
    phase : str
        The class that QuPath shows.

    Returns
    -------
    bytes
        UTF-8. Coordinates are pixels, x to the right and y down, 0 at the outer corner of the first
        pixel, as QuPath has them; rings turn as RFC 7946 asks. Values that are not finite are null.

    References
    ----------
    Butler et al. (2016), The GeoJSON Format, RFC 7946.
    """
    rows = {} if table is None else dict(zip(table["label"], _records(table), strict=True))
    chosen = [o for o in trace_labels(labels) if table is None or o.label in rows]
    features = [_feature(outline, rows.get(outline.label, {}), phase) for outline in chosen]
    whole = {"type": "FeatureCollection", "features": features}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _feature(outline: Outline, row: dict[str, Any], phase: str) -> dict[str, Any]:
    polygons = [[_closed(ring) for ring in polygon] for polygon in outline.polygons]
    geometry = (
        {"type": "Polygon", "coordinates": polygons[0]}
        if len(polygons) == 1
        else {"type": "MultiPolygon", "coordinates": polygons}
    )
    measurements = {key: value for key, value in row.items() if key != "label"}
    return {
        "type": "Feature",
        "id": outline.label,
        "geometry": geometry,
        "properties": {
            "objectType": "annotation",
            "name": f"{outline.label}",
            "label": outline.label,
            "classification": {"name": phase},
            "measurements": measurements,
        },
    }


def _closed(ring: Ring) -> list[list[int]]:
    """Return a ring whose last corner is its first one again."""
    corners: list[list[int]] = ring.tolist()
    return [*corners, corners[0]]


def _records(table: pd.DataFrame) -> Iterable[dict[str, Any]]:
    """Yield rows as plain values that JSON holds."""
    for record in table.to_dict("records"):
        yield {str(key): _plain(value) for key, value in record.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return str(value)
