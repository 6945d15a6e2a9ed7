"""What the Cluster page chose by itself: said in words, with one click for something else."""

from __future__ import annotations

import streamlit as st

from core.imaging.display import write_level
from core.imaging.scale import describe_length
from core.measuring.clustering import AUTO, GREY, GREYS, NONE, Clustering
from core.measuring.defaults import diameter_of
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.cache import ClusterChoice
from core.ui.cluster import settings
from core.ui.parts import AUTOMATIC, measuring, on_primary, say, tables
from core.ui.shell import segmenting


def target(micrograph: Micrograph, choice: ClusterChoice, wished: int) -> int:
    """Return the cluster that is measured: the one asked for, or the one that stands out."""
    return cache.standing_out(micrograph, choice) if wished == AUTOMATIC else wished


def draw(
    micrograph: Micrograph, choice: ClusterChoice, measured: settings.Measured, found: Clustering
) -> None:
    """Say what was chosen automatically, and offer the other choice beside it."""
    number = target(micrograph, choice, measured.target)
    if measured.target == AUTOMATIC:
        other = found.k - 1 if number < found.k / 2 else 0
        _line(
            say.line(
                "**{cluster} is measured:** it stands out from what fills the edge of the frame.",
                cluster=tables.cluster_title(number, found.k).capitalize(),
            ),
            say.line("Measure cluster {other}", other=other),
            "cluster_other_target",
            lambda: settings.TARGETS[found.k].put(other),
        )
    if measuring.SMOOTHING.value() == AUTO and choice.mode == GREY:
        _noise(micrograph, choice)


def smallest(micrograph: Micrograph, found_by: cache.RegionChoice) -> say.Line:
    """Return from which size on a region is measured."""
    area = found_by.smallest_px
    across = describe_length(diameter_of(area), micrograph.pixel_size)
    return say.line("from {across} across ({area} px)", across=across, area=area)


def offer_segment(
    micrograph: Micrograph, choice: ClusterChoice, target: int, found_by: cache.RegionChoice
) -> None:
    """Draw the button that takes the target to Segment, to be mended by hand."""
    if st.button(
        on_primary("Measure these →"),
        key="cluster_to_segment",
        type="primary",
        help="Opens the same regions on Segment: sizes, widths, grains, gaps; and a click deletes, "
        "merges or cuts one.",
    ):
        segmenting.hand_over(micrograph.key, choice, target, found_by)
        st.switch_page(segmenting.PAGE)


def _noise(micrograph: Micrograph, choice: ClusterChoice) -> None:
    found = cache.noise(micrograph, choice.unsmoothed)
    if choice.smoothing.kind != GREYS:
        say.caption(
            "Noise (± {noise} grey levels) does not mix up clusters {gap} apart: "
            "they are as found.",
            noise=write_level(found.noise),
            gap=write_level(found.gap),
        )
        return
    _line(
        say.line(
            "**Noise would make regions of its own** (± {noise} grey levels, clusters "
            "{gap} apart): greys were averaged over {sigma:g} px (σ) first.",
            noise=write_level(found.noise),
            gap=write_level(found.gap),
            sigma=choice.smoothing.sigma_px,
        ),
        say.line("As found"),
        "cluster_as_found",
        lambda: measuring.SMOOTHING.put(NONE),
    )


def _line(words: say.Line, label: say.Line, key: str, undo: object) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        say.markdown("{words}", words=words, width="stretch")
        st.button(label, key=key, on_click=undo, type="tertiary", icon=":material/undo:")  # type: ignore[arg-type]
