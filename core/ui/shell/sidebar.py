"""The part of the sidebar that speaks of the current micrograph, the same on every page."""

from __future__ import annotations

import streamlit as st

from core.imaging.scale import describe_instrument
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import say, show
from core.ui.shell import calibration, grouping, workspace
from core.ui.shell.border import user_errors


def draw(micrograph: Micrograph) -> None:
    """Draw the choice of micrograph and frame, its facts, its sample and its pixel size."""
    labels = workspace.short_names(workspace.every())
    digests = list(labels)
    place = digests.index(micrograph.sha256)
    st.session_state["sidebar_micrograph"] = micrograph.sha256
    st.sidebar.selectbox(
        say.line("Micrograph ({place} of {digests})", place=place + 1, digests=len(digests)),
        digests,
        format_func=labels.__getitem__,
        key="sidebar_micrograph",
        on_change=lambda: workspace.select(st.session_state["sidebar_micrograph"]),
    )
    frame_picker(micrograph)
    say.caption("{facts}", facts=say.plain(show.describe(micrograph)), into=st.sidebar)
    if sample := grouping.sample_of(micrograph):
        say.caption("Sample **{sample}**", sample=sample, into=st.sidebar)
    calibration.draw(micrograph)


def frame_picker(micrograph: Micrograph) -> None:
    """Offer the frames of a file that holds several; a choice puts it in this one's place."""
    labels = workspace.frame_labels(micrograph)
    if not labels:
        return
    now = int(micrograph.metadata.get("frame", 0))
    chosen = st.sidebar.selectbox(
        say.line("Frame ({now} of {labels})", now=now + 1, labels=len(labels)),
        range(len(labels)),
        index=now,
        format_func=lambda frame: f"{frame + 1} · {labels[frame]}",
        key=f"sidebar_frame_{micrograph.sha256}",
    )
    if chosen != now:
        with st.sidebar, user_errors():
            with st.spinner("Reading the frame …"):
                workspace.choose_frame(micrograph, chosen)
            st.rerun()


def about(micrograph: Micrograph) -> None:
    """Draw what the file says about the instrument, and the downloads of the micrograph."""
    facts = describe_instrument(micrograph)
    title = "Instrument, save as" if facts else "Save as"
    with st.sidebar.expander(say.line("{title}", title=title), icon=":material/save:"):
        if facts:
            rows = {"": list(facts), " ": [say.plain(value) for value in facts.values()]}
            st.table(rows, border="horizontal", hide_index=True, hide_header=True)
        stem, size = show.file_stem(micrograph), micrograph.pixel_size
        show.download(
            f"TIFF ({micrograph.depth})",
            lambda: cache.tiff(micrograph),
            f"{stem}.tif",
            "image/tiff",
            f"save_tiff_{micrograph.sha256}",
        )
        show.download(
            f"PNG ({'8-bit' if micrograph.pixels.dtype.kind == 'f' else micrograph.depth})",
            lambda: cache.png(micrograph),
            f"{stem}.png",
            "image/png",
            f"save_png_{micrograph.sha256}",
        )
        kept = f"The TIFF carries the pixel size, {size}" if size else "The pixel size is unknown"
        say.caption("{kept}; every pixel is there, nothing is drawn over it.", kept=kept)
