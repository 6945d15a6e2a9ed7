"""A tile map of a large frame: which class the network names where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.imaging.display import class_colors, class_tiles
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.classify.settings import TILE_MAP
from core.ui.parts import say, show, tables, viewer, working

if TYPE_CHECKING:
    from core.learning.classifying import TileMap
    from core.learning.models import ModelCard

_ACROSS = 6  # tiles along the longer side to begin with
_SMALLEST_PX = 32


def draw(micrograph: Micrograph, model_name: str, exclude: bool) -> None:
    """Draw the switch, and when it is on the size of the tiles, the map and its legend."""
    if not TILE_MAP.draw():
        return
    with st.columns([1, 2])[0]:
        tile_px = _size(micrograph)
    with working.progress_bar("Classifying tiles …") as tell:
        tiles = cache.tile_map(micrograph, model_name, tile_px, exclude, tell)
    left, right = show.beside(2)
    with left:
        viewer.show_micrograph(
            micrograph,
            exclude,
            key="classify_tiles_viewer",
            tools=(),
            layers=[_layer(micrograph, model_name, tiles, tile_px, exclude)],
            alt=f"class of every tile of {micrograph.name}",
        )
    with right:
        _legend(tiles, cache.model(model_name).card)
        rows, columns = tiles.labels.shape
        say.caption(
            "{rows} × {columns} tiles of about {tile_px} px, each classified as a micrograph "
            "of its own; the more opaque, the more probable. Tiles that are mostly info bar "
            "or letters, or of one grey level, have no colour. A tile shows less than the "
            "network learnt from: read the map for differences, not for each tile's class.",
            rows=rows,
            columns=columns,
            tile_px=tile_px,
        )
        show.download(
            "Map (PNG)",
            lambda: cache.tile_map_png(micrograph, tiles),
            f"{show.file_stem(micrograph)}_tiles.png",
            "image/png",
            "tiles_png",
        )


def _layer(
    micrograph: Micrograph, model_name: str, tiles: TileMap, tile_px: int, exclude: bool
) -> viewer.Raster:
    card, classes = cache.model(model_name).card, len(tiles.classes)
    count = class_tiles.steps(classes)
    return viewer.Raster(
        "Tiles",
        f"tiles {micrograph.key} {model_name} {card.sha256} {tile_px} {exclude}",
        cache.tile_values(micrograph, tiles, exclude),
        class_tiles.palette(classes),
        names={
            1 + number * count + step: card.display_name(name)
            for number, name in enumerate(tiles.classes)
            for step in range(count)
        },
    )


def _size(micrograph: Micrograph) -> int:
    longer = max(micrograph.shape)
    start = max(_SMALLEST_PX, longer // _ACROSS)
    nm = micrograph.pixel_size.to("nm") if micrograph.pixel_size else None
    in_nm = nm is not None and st.toggle(
        "Tile size in nm", key="classify_tiles_in_nm", persist_state="session"
    )
    if in_nm and nm is not None:
        low, high = _SMALLEST_PX * nm, max(longer, _SMALLEST_PX) * nm
        chosen: float = st.number_input(
            "Tile size (nm)",
            low,
            high,
            start * nm,
            key=f"classify_tile_nm_{micrograph.key}",
            persist_state="session",
        )
        return max(_SMALLEST_PX, round(chosen / nm))
    pixels: int = st.number_input(
        "Tile size (px)",
        _SMALLEST_PX,
        max(longer, _SMALLEST_PX),
        start,
        key=f"classify_tile_px_{micrograph.key}",
        persist_state="session",
    )
    return pixels


def _legend(tiles: TileMap, card: ModelCard) -> None:
    colors = dict(zip(tiles.classes, class_colors(len(tiles.classes)), strict=True))
    rows = sorted(tiles.shares.items(), key=lambda item: -item[1])
    table = pd.DataFrame(
        {
            "colour": [tables.swatch(colors[name]) for name, _ in rows],
            "class": [card.display_name(name) for name, _ in rows],
            "tiles (%)": [100 * share for _, share in rows],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        key="classify_tiles_legend",
        column_config={
            **show.formats(table),
            "colour": st.column_config.ImageColumn("", width=44),
        },
    )
