"""What every page shares: its set-up, its sidebar and the controls that hold for all pages."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.errors import OutOfMemory
from core.imaging.memory import require_memory
from core.imaging.simulation import KINDS
from core.micrograph import Micrograph
from core.ui.models import picker
from core.ui.parts import show, slider
from core.ui.shell import revival, sidebar, tour, uploads_kept, warm_up, workspace
from core.ui.shell.border import user_errors as user_errors
from core.ui.shell.links import address

TASKS = {
    "pages/1_Classify.py": ("Classify", ":material/category:"),
    "pages/2_Explain.py": ("Explain", ":material/visibility:"),
    "pages/3_Filters.py": ("Filters", ":material/tune:"),
    "pages/4_Cluster.py": ("Cluster", ":material/bubble_chart:"),
    "pages/5_Batch_Report.py": ("Batch Report", ":material/lab_profile:"),
}
PROMISES = {
    "pages/1_Classify.py": "Which morphology is it, and how sure is the network?",
    "pages/2_Explain.py": "Where in the frame does the network find its evidence?",
    "pages/3_Filters.py": "Chain filters and compare before with after.",
    "pages/4_Cluster.py": "Group pixels into clusters; measure areas and regions.",
    "pages/5_Batch_Report.py": "Many micrographs at once: tables and a report to keep.",
}
NAME = "Micrographia"
_TITLE = "page_title"  # of the page at hand
EXCLUDE_KEY = "workspace_exclude_overlays"
_NAMED = 3  # evicted micrographs that are called by their names
# Streamlit marks every stop of the Tab key but this one, the page's own scrolled part. The rule
# names the element and no class of Streamlit's, which change with its releases; without
# “important” their own, which takes the outline away, would win.
_FOCUS = """<style>
main[tabindex]:focus-visible { outline: 2px solid currentColor !important; outline-offset: -2px; }
</style>"""
_WORK_BYTES_PER_PX = 48  # a dozen copies as 32-bit floats: what filters and maps take meanwhile

# A Material icon or an emoji would be fetched from elsewhere when it stands on a browser's tab.
_ICON = str(Path(__file__).with_name("icon.svg"))


def setup(title: str) -> None:
    """Set the tab's title and the wide layout, and write the page's heading."""
    tab = title if title == NAME else f"{title} · {NAME}"
    st.set_page_config(page_title=tab, page_icon=_ICON, layout="wide")
    st.html(_FOCUS)
    st.title(title, anchor=False)
    if _on_a_phone():
        st.caption("Settings and pixel size are in the sidebar: open it with » at the top left.")
    _begin(title)
    picker.begin_page()
    with user_errors():
        revival.restore()
    revival.remember()
    _tell_evicted()
    tour.draw(title)
    warm_up.start_once()


def _begin(title: str) -> None:
    """Free what was uploaded on the page before: its uploaders are gone."""
    if st.session_state.get(_TITLE) != title:
        st.session_state[_TITLE] = title
        uploads_kept.let_go_all()
        workspace.hold_beside("uploads", 0)


def _tell_evicted() -> None:
    names = workspace.evicted_names()
    if names:
        named = ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")
        st.info(
            show.plain(
                f"While you were away, {named} had to make room for other visitors: this server's "
                "memory is shared. Load them again to go on."
            ),
            icon=":material/inventory_2:",
        )


def _on_a_phone() -> bool:
    """Tell by what the browser says of itself: there the sidebar is closed at first."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def promise() -> str:
    """Return in one sentence what the page at hand is for."""
    title = st.session_state[_TITLE]
    return next((PROMISES[path] for path, (name, _) in TASKS.items() if name == title), "")


def require_micrograph() -> Micrograph:
    """Return the chosen micrograph; without one say what to do, offer samples and stop."""
    micrograph = workspace.current()
    if micrograph is None:
        st.write(f"{promise()} No micrograph is loaded.")
        st.page_link("Home.py", label="Load your own on Home", icon=":material/upload_file:")
        st.caption("Or take a simulated one:")
        sample_picker("start")
        settings()
        st.stop()
    sidebar.draw(micrograph)
    _require_memory(micrograph)
    return micrograph


def _require_memory(micrograph: Micrograph) -> None:
    """Say so and stop where working on a micrograph could take more memory than there is."""
    try:
        require_memory(_WORK_BYTES_PER_PX * micrograph.pixels.size)
    except OutOfMemory as error:
        st.error(show.plain(str(error)), icon=":material/error:")
        settings()
        st.stop()


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


def target_cluster(k: int, key: str) -> int:
    """Return the cluster to measure; the choice starts at the brightest for every k."""
    from core.ui.parts import tables  # with pandas: Home opens without

    chosen: int = st.selectbox(
        "Target cluster",
        range(k),
        index=k - 1,
        format_func=lambda number: tables.cluster_title(number, k),
        key=f"{key}_{k}",
        persist_state="session",
        help="Measured in every table. Clusters are numbered from dark to bright.",
    )
    return chosen


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


def settings(*, with_link: bool = True) -> None:
    """Draw the end of the sidebar: about the current micrograph, settings for all pages.

    The link's table of settings loads the rooms of all pages: who opens the app need not wait for
    it, as long as there is nothing to carry.
    """
    current = workspace.current()
    if current is not None:
        sidebar.about(current)
    picker.draw_elsewhere()
    with st.sidebar.expander("Settings", icon=":material/settings:"):
        st.radio(
            "Comparison slider",
            slider.CHOICES,
            key=slider.CHOICE_KEY,
            persist_state="session",
            help="The built-in slider works offline and shows every pixel as it is. JuxtaposeJS "
            "fetches its script from a public server and shows JPEG copies.",
        )
        if with_link:
            address.draw_copy()


def model_picker() -> str:
    """Return the name of the model to use; the first call on a page draws the choice.

    Raises
    ------
    UserError
        If there is no model.
    """
    return picker.model_picker()
