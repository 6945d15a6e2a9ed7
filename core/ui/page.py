"""What every page shares: its set-up, its sidebar, and the border where errors become sentences."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from core.errors import UserError
from core.imaging.simulate import KINDS
from core.micrograph import Micrograph
from core.ui import cache, compare, show, warm_up, workspace

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
EXCLUDE_KEY = "workspace_exclude_overlays"

# A Material icon or an emoji would be fetched from elsewhere when it stands on a browser's tab.
_ICON = str(Path(__file__).with_name("icon.svg"))
_LOG = logging.getLogger("micrographia")


def setup(title: str) -> None:
    """Set the tab's title and the wide layout, and write the page's heading."""
    tab = title if title == NAME else f"{title} · {NAME}"
    st.set_page_config(page_title=tab, page_icon=_ICON, layout="wide")
    st.title(title, anchor=False)
    warm_up.start_once()


@contextmanager
def user_errors() -> Iterator[None]:
    """Show a UserError as its own sentence; log anything else and show one calm line."""
    try:
        yield
    except UserError as error:
        st.error(show.plain(str(error)), icon=":material/error:")
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
    st.sidebar.caption(show.plain(workspace.describe(micrograph)))
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
