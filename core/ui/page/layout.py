"""What every page begins and ends with: heading, what an address brings, the sidebar's end."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.errors import OutOfMemory
from core.imaging.memory import require_memory
from core.micrograph import Micrograph
from core.ui.models import picker
from core.ui.page import history, revival, unsaved, warm_up
from core.ui.page.links import address
from core.ui.parts import filmstrip, say, slider
from core.ui.shell import PROMISES, TASKS, readings, samples, sidebar, tour, uploads, workspace
from core.ui.shell import user_errors as user_errors

NAME = "Micrographia"
_TITLE = "page_title"  # of the page at hand
_NAMED = 3  # evicted micrographs that are called by their names
# Streamlit marks every stop of the Tab key but this one, the page's own scrolled part. The rule
# names the element and no class of Streamlit's, which change with its releases; without
# “important” their own, which takes the outline away, would win.
# What a window has goes to the picture: Streamlit leaves 5rem free on either side of wide ones. A
# sidebar shall be seen whole: its parts stand closer.
_LOOK = """<style>
main[tabindex]:focus-visible { outline: 2px solid currentColor !important; outline-offset: -2px; }
@media (min-width: 736px) {
  [data-testid="stMainBlockContainer"] { padding-left: 2.5rem; padding-right: 2.5rem; }
}
[data-testid="stSidebarUserContent"] [data-testid="stVerticalBlock"] { gap: 0.375rem; }
/* The answer stands above what is said of it; where there is no room beside the picture, it is
   first and the rest comes after the picture. */
.st-key-beside { container-type: inline-size; }
@container (min-width: 840px) {
  .st-key-beside_parts {
    display: grid; gap: 1rem 2rem; grid-template-rows: auto 1fr;
    grid-template-columns: repeat(3, minmax(0, 1fr));
  }
  .st-key-beside_parts > * { min-width: 0; grid-column: 3; }
  .st-key-beside_parts > :has(> .st-key-beside_answer) { grid-row: 1; }
  .st-key-beside_parts > :has(> .st-key-beside_picture) { grid-row: 1 / 3; grid-column: 1 / 3; }
  .st-key-beside_parts > :has(> .st-key-beside_facts) { grid-row: 2; }
}
</style>"""
_WORK_BYTES_PER_PX = 48  # a dozen copies as 32-bit floats: what filters and maps take meanwhile

# A Material icon or an emoji would be fetched from elsewhere when it stands on a browser's tab.
_ICON = str(Path(__file__).with_name("icon.svg"))


def setup(title: str) -> None:
    """Set the tab's title and the wide layout, and write the page's heading."""
    tab = title if title == NAME else f"{title} · {NAME}"
    st.set_page_config(page_title=tab, page_icon=_ICON, layout="wide")
    st.html(_LOOK)
    st.title(say.line("{title}", title=title), anchor=False)
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
        uploads.let_go_all()
        workspace.hold_beside("uploads", 0)


def _tell_evicted() -> None:
    names = workspace.evicted_names()
    if names:
        named = ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")
        say.info(
            "While you were away, {named} had to make room for other visitors: this server's "
            "memory is shared. Load them again to go on.",
            named=named,
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
    readings.look()
    micrograph = workspace.current()
    if micrograph is None:
        say.markdown("{promise} No micrograph is loaded.", promise=say.Line(promise()))
        st.page_link("Home.py", label="Load your own on Home", icon=":material/upload_file:")
        st.caption("Or take a simulated one:")
        samples.offer("start")
        settings()
        st.stop()
    about(micrograph)
    filmstrip.draw(workspace.every(), micrograph, workspace.select)
    _require_memory(micrograph)
    return micrograph


def about(micrograph: Micrograph) -> None:
    """Begin the sidebar, alike on every page: the micrograph, its scale, the model."""
    sidebar.draw(micrograph)
    picker.draw()


def _require_memory(micrograph: Micrograph) -> None:
    """Say so and stop where working on a micrograph could take more memory than there is."""
    try:
        require_memory(_WORK_BYTES_PER_PX * micrograph.pixels.size)
    except OutOfMemory as error:
        say.error("{error}", error=str(error), icon=":material/error:")
        settings()
        st.stop()


def settings(*, with_link: bool = True) -> None:
    """Draw the end of the sidebar: about the current micrograph, settings for all pages.

    The link loads the rooms of all pages, whose settings it carries: who opens the app need not
    wait for it, as long as there is nothing to carry.
    """
    current = workspace.current()
    if current is not None:
        sidebar.about(current)
    picker.draw()
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
    with st.sidebar:
        history.keep_short()
        unsaved.draw()


def model_picker() -> str:
    """Return the name of the model to use; draws the choice where it does not stand yet.

    Raises
    ------
    UserError
        If there is no model.
    """
    return picker.model_picker()
