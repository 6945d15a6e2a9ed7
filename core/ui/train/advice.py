"""Where the model looks, and which pictures to label next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.reporting import figures
from core.ui import cache
from core.ui.parts import say, show, working
from core.ui.train import labels, sources
from core.ui.train.learn import Result

if TYPE_CHECKING:
    from core.learning.training import LabelledPicture

_NEXT = 6
_PICTURE_PX = 150


def draw(result: Result, pictures: list[LabelledPicture]) -> None:
    """Draw the mean maps behind a switch, and suggestions where pictures have no label."""
    if st.toggle("Where it looks", key="train_maps", help="The mean map of every class."):
        _maps(result, pictures)
    _suggest(result)


def _maps(result: Result, pictures: list[LabelledPicture]) -> None:
    with working.progress_bar("explaining {}") as tell:
        maps = cache.mean_class_maps(result.model_name, pictures, tell)
    grid = st.grid(4, min_column_width=200, gap="small")
    for place, found in enumerate(maps):
        with grid.cell():
            say.markdown("**{label}**", label=found.label)
            figure = figures.mean_map(found.heat, dark=show.is_dark())
            show.chart(figure, f"train_map_{place}", f"Mean evidence map of class {place + 1}")
            if found.overlay_area:
                say.caption(
                    "{share:.0f} % of the evidence on info bar and letters, which are {area:.0f} % "
                    "of the frame, if they are shown",
                    share=100 * found.overlay_share,
                    area=100 * found.overlay_area,
                )
    st.caption(
        "Each map is the mean over up to twelve pictures. Evidence that always lies in one place "
        "is not form: look what stands there."
    )


def _suggest(result: Result) -> None:
    pool = labels.unlabelled()
    if not pool:
        st.caption("Load more micrographs without a class, and the ones to label next are shown.")
        return
    st.subheader("Label these next", anchor=False)
    st.caption("The model doubts these most, and they are unlike each other.")
    with working.progress_bar("looking at {}") as tell:
        picked = cache.label_next(result.model_name, pool, _NEXT, tell)
    grid = st.grid(6, min_column_width=_PICTURE_PX, gap="small")
    for place, doubt in picked:
        micrograph = pool[place]
        with grid.cell():
            st.image(
                cache.square_png(micrograph),
                width=_PICTURE_PX - 10,
                output_format="PNG",
                alt=micrograph.name,
            )
            say.caption("doubt {doubt:.0f} %", doubt=100 * doubt)
            sources.choose(micrograph.sha256, micrograph.name, "next")
