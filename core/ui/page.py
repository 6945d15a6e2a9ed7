"""What every page shares: its set-up, its sidebar, and the border where errors become sentences."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.errors import UserError
from core.imaging.simulate import KINDS
from core.micrograph import Micrograph
from core.ui import cache, compare, workspace

TASKS = {
    "pages/1_Classify.py": ("Classify", ":material/category:"),
    "pages/2_Explain.py": ("Explain", ":material/visibility:"),
    "pages/3_Filters.py": ("Filters", ":material/tune:"),
    "pages/4_Cluster.py": ("Cluster", ":material/bubble_chart:"),
    "pages/5_Batch_Report.py": ("Batch report", ":material/lab_profile:"),
}
NAME = "Micrographia"
FORMATS = ["png", "jpg", "jpeg", "bmp", "tif", "tiff"]
CALM_LINE = (
    "Something went wrong on our side, and what you loaded is untouched. "
    "Try another setting or another micrograph."
)
_PLOT_TOOLS = {"displayModeBar": False, "responsive": True}
_PLOT_FONT = "Source Sans, sans-serif"  # the font that Streamlit carries with it
LEGEND_COLUMNS = {
    "colour": st.column_config.ImageColumn("", width=44),
    "cluster": st.column_config.NumberColumn(width=60),
    "share (%)": st.column_config.NumberColumn(width=78, format="%.1f"),
    "area": st.column_config.TextColumn(width=96),
    "mean grey": st.column_config.NumberColumn(width=84, format="%.4g"),
}
EXCLUDE_KEY = "workspace_exclude_overlays"

# A Material icon or an emoji would be fetched from elsewhere when it stands on a browser's tab.
_ICON = str(Path(__file__).with_name("icon.svg"))
_LOG = logging.getLogger("micrographia")
_MARKDOWN = re.compile(r"([\\\\`*_{}\[\]<>()#+\-.!|~:$&^=@])")
_WARM_UP_DELAY_S = 1.5  # the page itself goes first
_warm_up_started = threading.Lock()


def setup(title: str) -> None:
    """Set the tab's title and the wide layout, and write the page's heading."""
    tab = title if title == NAME else f"{title} · {NAME}"
    st.set_page_config(page_title=tab, page_icon=_ICON, layout="wide")
    st.title(title, anchor=False)
    _warm_up_once()


def is_dark() -> bool:
    """Tell whether the page is shown dark, for figures that carry their own colours."""
    return st.context.theme.type == "dark"


def plain(text: str) -> str:
    """Return text that Markdown shows letter by letter: a file name is never markup."""
    return _MARKDOWN.sub(r"\\\1", text).replace("\n", " ")


@contextmanager
def user_errors() -> Iterator[None]:
    """Show a UserError as its own sentence; log anything else and show one calm line."""
    try:
        yield
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception:
        _LOG.exception("a page failed")
        st.error(CALM_LINE, icon=":material/error:")


def require_micrograph() -> Micrograph:
    """Return the chosen micrograph; without one say what to do, offer samples and stop."""
    micrograph = workspace.current()
    if micrograph is None:
        st.write("No micrograph is loaded. Load your own on the start page, or try a sample:")
        sample_picker("start")
        st.page_link("Home.py", label="Load micrographs", icon=":material/upload_file:")
        settings()
        st.stop()
    return _chooser(micrograph)


def _chooser(micrograph: Micrograph) -> Micrograph:
    """Draw the choice among the loaded micrographs into the sidebar; return the chosen one."""
    labels = workspace.short_names(workspace.every())
    digests = list(labels)
    st.sidebar.selectbox(
        f"Micrograph ({digests.index(micrograph.sha256) + 1} of {len(digests)})",
        digests,
        index=digests.index(micrograph.sha256),
        format_func=labels.__getitem__,
        key="sidebar_micrograph",
        on_change=lambda: workspace.select(st.session_state["sidebar_micrograph"]),
    )
    st.sidebar.caption(plain(workspace.describe(micrograph)))
    if not workspace.has_own_scale(micrograph):
        _scale_by_hand(micrograph)
    return micrograph


def _scale_by_hand(micrograph: Micrograph) -> None:
    """Offer to state the pixel size of a file that does not say it."""
    key = f"sidebar_scale_{micrograph.sha256}"
    size = micrograph.pixel_size
    st.sidebar.number_input(
        "Pixel size by hand (nm/px)",
        min_value=0.0001,
        max_value=1e6,
        value=size.to("nm") if size else None,
        step=0.1,
        format="%.6g",
        placeholder="unknown",
        key=key,
        help="The file does not say how large a pixel is. Give it here, and areas and lengths "
        "come in physical units. Clear the field to go back to pixels.",
        on_change=lambda: workspace.set_pixel_size(micrograph.sha256, st.session_state[key]),
    )


def sample_picker(prefix: str) -> None:
    """Draw one button per simulated sample; a click loads it and makes it the current one."""
    with st.container(horizontal=True, gap="small"):
        for kind in KINDS:
            label = f"Simulated {kind.replace('_', ' & ')}"
            if st.button(label, key=f"{prefix}_sample_{kind}", icon=":material/science:"):
                _load_sample(kind)


def _load_sample(kind: str) -> None:
    taken = {micrograph.name for micrograph in workspace.every()}
    seed = 0
    while workspace.sample_name(kind, seed) in taken:
        seed += 1
    with user_errors():
        with st.spinner("Simulating …"):
            workspace.add_sample(kind, seed)
        st.rerun()


def exclude_overlays() -> bool:
    """Draw the switch that leaves out what is not specimen; it holds for all pages."""
    return st.toggle(
        "Leave out info bar and letters",
        value=True,
        key=EXCLUDE_KEY,
        persist_state="session",
        help="The info bar, the scale bar and burned-in text are found and take no part: neither "
        "in what the network sees nor in grey levels and areas.",
    )


def smallest_region_px() -> int:
    """Draw the size below which a region counts as noise; it holds for all pages."""
    value: int = st.number_input(
        "Smallest region (px)",
        1,
        1_000_000,
        10,
        key="workspace_smallest_region_px",
        persist_state="session",
        help="Smaller regions are taken for noise: they count as area, not as regions.",
    )
    return value


def settings() -> None:
    """Draw the settings that hold for all pages, at the end of the sidebar."""
    with st.sidebar.expander("Settings", icon=":material/settings:"):
        st.radio(
            "Comparison slider",
            compare.CHOICES,
            key=compare.CHOICE_KEY,
            persist_state="session",
            help="The built-in slider works offline and shows every pixel as it is. JuxtaposeJS "
            "fetches its script from a public server and shows JPEG copies.",
        )


def model_picker() -> str:
    """Return the name of the model to use; draws a choice when several are installed.

    Raises
    ------
    UserError
        If no model is installed.
    """
    with st.spinner("Starting the network …"):
        names = cache.model_names()
    if not names:
        raise UserError(
            "No model is installed. Copy a model folder into models/ and open this page again."
        )
    if len(names) == 1:
        return names[0]
    chosen: str = st.selectbox("Model", names, key="settings_model", persist_state="session")
    return chosen


def show_micrograph(micrograph: Micrograph, exclude: bool) -> None:
    """Show the micrograph as wide as its column, losslessly, with its facts below."""
    st.image(
        cache.micrograph_png(micrograph),
        caption=plain(caption(micrograph, exclude)),
        width="stretch",
        output_format="PNG",
        alt=micrograph.name,
    )


def caption(micrograph: Micrograph, exclude: bool) -> str:
    """Return the line below a picture: name, size, depth, scale, and what is left out."""
    share = cache.excluded_share(micrograph, exclude)
    left_out = f" · {100 * share:.2g}\u00a0% left out (info bar, letters)" if share else ""
    return f"{micrograph.name} · {workspace.describe(micrograph)}{left_out}"


def simulated_badge(micrograph: Micrograph) -> None:
    """Say so when the micrograph on this page was simulated."""
    if workspace.is_simulated(micrograph):
        st.badge("simulated micrograph", icon=":material/science:", color="orange")


def chart(figure: go.Figure, key: str, alt: str, *, legend: bool = True) -> None:
    """Show a figure in the page's own font, without tools."""
    figure.update_layout(font_family=_PLOT_FONT, dragmode=False)
    figure.update_xaxes(title_font_size=13)
    figure.update_yaxes(title_font_size=13)
    if not legend:
        figure.update_layout(showlegend=False)
    # Stating the height keeps the place free while the chart is on its way.
    height = figure.layout.height
    st.plotly_chart(figure, height=height, theme=None, config=_PLOT_TOOLS, key=key, alt=alt)


def table(frame: pd.DataFrame, key: str, **options: Any) -> None:
    """Show a table; shares and lengths with one digit after the point."""
    formats = {
        column: st.column_config.NumberColumn(format="%.1f" if column.endswith("(%)") else "%.4g")
        for column in frame.columns
        if frame[column].dtype.kind == "f"
    }
    st.dataframe(frame, hide_index=True, column_config=formats, key=key, **options)


def download(
    label: str,
    data: bytes | Callable[[], bytes],
    file_name: str,
    mime: str,
    key: str,
    *,
    primary: bool = False,
) -> None:
    """Draw a download button that leaves the page as it is."""
    st.download_button(
        label,
        data,
        file_name,
        mime,
        key=key,
        icon=":material/download:",
        on_click="ignore",
        type="primary" if primary else "secondary",
    )


def file_stem(micrograph: Micrograph) -> str:
    """Return a name for downloads: the micrograph's own, without ending or odd characters."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", micrograph.name)
    return re.sub(r"[^\w-]+", "_", stem).strip("_")[:60] or "micrograph"


def _warm_up_once() -> None:
    """Import the network's libraries in the background, once per process."""
    if os.environ.get("MICROGRAPHIA_WARM_UP") == "0" or not _warm_up_started.acquire(False):
        return
    threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()


def _warm_up() -> None:
    time.sleep(_WARM_UP_DELAY_S)
    try:
        from core.learning.checkpoints import list_models, load_model
        from core.learning.classification import classify

        for name in list_models()[:1]:
            classify(load_model(name), [_blank()])
    except Exception:
        _LOG.exception("the warm-up failed; the first classification will take longer")


def _blank() -> Micrograph:
    from core.imaging.simulate import simulate

    return simulate(KINDS[0], shape=(256, 256), seed=0).micrograph
