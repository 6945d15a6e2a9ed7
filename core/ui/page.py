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
PLOT_TOOLS = {"displayModeBar": False, "responsive": True}
LEGEND_COLUMNS = {
    "colour": st.column_config.ImageColumn("", width=48),
    "cluster": st.column_config.NumberColumn(width="small"),
    "fraction (%)": st.column_config.NumberColumn(format="%.1f"),
    "mean grey": st.column_config.NumberColumn(format="%.4g"),
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
    return micrograph


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


def show_micrograph(micrograph: Micrograph) -> None:
    """Show the micrograph as wide as its column, losslessly, with its facts below."""
    st.image(
        cache.screen_png(micrograph),
        caption=plain(caption(micrograph)),
        width="stretch",
        output_format="PNG",
        alt=micrograph.name,
    )


def caption(micrograph: Micrograph) -> str:
    """Return the line below a picture: name, size, depth and scale."""
    return f"{micrograph.name} · {workspace.describe(micrograph)}"


def simulated_badge(micrograph: Micrograph) -> None:
    """Say so when the micrograph on this page was simulated."""
    if workspace.is_simulated(micrograph):
        st.badge("simulated micrograph", icon=":material/science:", color="orange")


def percent_columns(table: pd.DataFrame) -> dict[str, Any]:
    """Return the format of every column in per cent: one digit after the point."""
    return {
        column: st.column_config.NumberColumn(format="%.1f")
        for column in table.columns
        if str(column).endswith("(%)")
    }


def download(
    label: str, data: bytes | Callable[[], bytes], file_name: str, mime: str, key: str, *, primary: bool = False
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
