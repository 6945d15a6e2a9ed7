"""Results as the tables that pages show and offer for download."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.imaging.display import THIN_SPACE, cluster_colors, png_bytes
from core.imaging.scale import area_unit
from core.measuring.clustering import Clustering
from core.micrograph import Micrograph, PixelSize
from core.reporting.batch import NAMED, Units, csv_bytes, diameters, pixel_size_source, words_of
from core.ui.parts import say


def batch(rows: pd.DataFrame, display_names: Mapping[str, str], units: Units) -> pd.DataFrame:
    """Return the columns of a batch that are read first, in words; the CSV holds all of them."""
    columns: dict[str, Any] = {
        "micrograph": rows["name"],
        "class": rows.get(NAMED, rows["label"]).map(
            lambda cell: ", ".join(display_names.get(n, n) for n in words_of(cell)) or "none"
        ),
        "probability (%)": 100 * rows["probability"],
        "warnings": rows["warnings"],
        "target cluster (%)": rows["target_percent"],
        "regions": rows["regions"],
        f"mean diameter ({units.length})": diameters(rows, units),
    }
    if (rows["sample"] != "").any():
        columns["sample"] = rows["sample"]
    if units.are_physical:
        columns["pixel (nm)"] = rows["pixel_size_nm"]
        columns["pixel size from"] = rows["pixel_size_source"]
    return pd.DataFrame(columns)


def batch_live(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of a batch that is still running, in words."""
    wanted = ["label", "probability", "target_percent", "regions"]
    known = rows.reindex(columns=["number", "name", "status", "reason", *wanted])
    return pd.DataFrame(
        {
            "#": known["number"],
            "micrograph": known["name"],
            "class": known["label"].fillna(known["reason"]),
            "probability (%)": 100 * known["probability"].astype(float),
            "target cluster (%)": known["target_percent"].astype(float),
            "regions": known["regions"].astype("Int64"),
        }
    )


def data_url(data: bytes, mime: str) -> str:
    """Return a picture as `st.column_config.ImageColumn` shows it."""
    return f"data:{mime};base64," + base64.b64encode(data).decode()


def cluster_legend(
    clustering: Clustering, micrograph: Micrograph, regions: Sequence[int] | None = None
) -> pd.DataFrame:
    """Return one row per cluster, dark to bright: swatch, fraction, area, mean grey, regions.

    The swatch is a picture in a data URL, as `st.column_config.ImageColumn` shows it.
    """
    frame = clustering.to_frame(micrograph.pixel_size)
    legend = pd.DataFrame(
        {
            "colour": [swatch(color) for color in cluster_colors(clustering.k)],
            "cluster": frame["cluster"],
            "share (%)": frame["fraction_pct"],
            "area": [write_area(int(pixels), micrograph.pixel_size) for pixels in frame["pixels"]],
            "mean grey": frame["mean_grey"],
        }
    )
    return legend if regions is None else legend.assign(regions=list(regions))


def regions_csv(measured: pd.DataFrame, micrograph: Micrograph) -> bytes:
    """Return the regions for other programs, each with the pixel size and who states it."""
    size = micrograph.pixel_size
    table = measured.assign(
        pixel_size_nm=size.to("nm") if size else np.nan,
        pixel_size_source=pixel_size_source(micrograph),
    )
    return csv_bytes(table)


def regions(measured: pd.DataFrame) -> pd.DataFrame:
    """Return a table of regions under headings for people: "feret max (nm)"."""
    return measured.rename(columns={name: heading(str(name)) for name in measured.columns})


def regions_summary(measured: pd.DataFrame) -> say.Line:
    """Return how many regions there are and how large they are on average."""
    column = next(name for name in measured.columns if name.startswith("equivalent_diameter_"))
    if measured.empty:
        return say.line("No region is large enough.")
    unit = column.removeprefix("equivalent_diameter_")
    noun = "region" if len(measured) == 1 else "regions"
    return say.line(
        "{count} {noun} · mean equivalent diameter {mean:.4g} {unit} · median {median:.4g} {unit}",
        count=len(measured),
        noun=noun,
        mean=measured[column].mean(),
        median=measured[column].median(),
        unit=unit,
    )


def thousands(value: float) -> str:
    """Write a whole number with thin spaces between its thousands."""
    return f"{value:,.0f}".replace(",", THIN_SPACE)


def percent(share: float) -> str:
    """Write a share between 0 and 1 in per cent."""
    return f"{100 * share:.1f}\u00a0%"


def cluster_title(number: int, k: int) -> str:
    """Return what a cluster is called: its number, and where it stands between dark and bright."""
    ends = {0: " (darkest)", k - 1: " (brightest)"}
    return f"cluster {number}{ends.get(number, '')}"


def target_area(clustering: Clustering, target: int, micrograph: Micrograph) -> str:
    """Return the area of one cluster with its unit."""
    pixels = int(clustering.to_frame()["pixels"][target])
    return write_area(pixels, micrograph.pixel_size)


def used_share(clustering: Clustering) -> say.Line:
    """Return a sentence on how much of the frame took part."""
    share = clustering.included_share
    if share == 1:
        return say.line("Share of the whole frame.")
    return say.line(
        "Share of the {used} of the frame that is used; the rest is left out.",
        used=percent(share),
    )


def write_area(pixels: int, pixel_size: PixelSize | None) -> str:
    """Write an area in nm², µm² or mm² where the scale is known, else in px²."""
    if pixel_size is None:
        return f"{thousands(pixels)} px²"
    nm2 = pixels * pixel_size.to("nm") ** 2
    length, nanometres = area_unit(nm2)
    unit, value = f"{length}²", nm2 / nanometres**2
    return f"{value:,.4g} {unit}".replace(",", THIN_SPACE) if value < 1e4 else _big(value, unit)


def heading(name: str) -> str:
    """Return a column's name in words, with its unit in brackets."""
    words, _, unit = name.rpartition("_")
    unit = {"deg": "°", "nm2": "nm²", "µm2": "µm²"}.get(unit, unit)
    if unit not in ("px", "nm", "µm", "°", "nm²", "µm²"):
        return name.replace("_", " ")
    return f"{words.replace('_', ' ')} ({unit})"


def _big(value: float, unit: str) -> str:
    return f"{thousands(value)} {unit}"


def swatch(color: str) -> str:
    """Return a small picture of one colour as a data URL."""
    pixel = tuple(bytes.fromhex(color.removeprefix("#")))
    png = png_bytes(np.full((24, 40, 3), pixel, np.uint8))
    return "data:image/png;base64," + base64.b64encode(png).decode()


@dataclass(frozen=True, slots=True)
class Picked:
    """What is chosen in a picture or in the table of it, marked in both: labels of the rows.

    Attributes
    ----------
    table : str
        How the keys of the table begin; a click in the picture starts it anew.
    chosen, turn, of : str
        Keys of the label clicked last, the table's turn, and the settings that both belong to.
    """

    table: str
    chosen: str
    turn: str
    of: str

    def table_key(self) -> str:
        """Return the key of the table as it is now."""
        return f"{self.table}_{st.session_state.get(self.turn, 0)}"

    def click(self, label: int) -> None:
        """Choose what was clicked in the picture, or with 0 nothing."""
        st.session_state[self.chosen] = label
        st.session_state[self.turn] = st.session_state.get(self.turn, 0) + 1

    def labels(self, table: pd.DataFrame, settings: str) -> tuple[int, ...]:
        """Return the labels that are chosen: those of the table's rows, else the one clicked."""
        if st.session_state.get(self.of) != settings:
            st.session_state[self.of] = settings
            self.click(0)
        said = st.session_state.get(self.table_key())
        if said is not None:
            rows = [row for row in said.get("selection", {}).get("rows", ()) if row < len(table)]
            return tuple(int(table["label"].iloc[row]) for row in rows)
        return self.clicked(table)

    def clicked(self, table: pd.DataFrame) -> tuple[int, ...]:
        """Return the label clicked last in the picture, where it still has a row."""
        label = st.session_state.get(self.chosen, 0)
        return (label,) if label and (table["label"] == label).any() else ()


def rows_of(table: pd.DataFrame, labels: tuple[int, ...]) -> list[int]:
    """Return the places of labels in a table."""
    return [int(row) for row in table.index[table["label"].isin(labels)]]
