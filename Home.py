"""Load micrographs, see what was understood of them, go to a task."""

import streamlit as st

from core.ui import page
from core.ui.home import correction, gallery, loading
from core.ui.home import samples as grouped
from core.ui.parts import filmstrip, say
from core.ui.shell import PROMISES, TASKS, readings, samples, sidebar, tour, workspace

_CARD_PX = 190  # narrower, a task's name does not fit
_IN_A_ROW = 4


def show_samples() -> None:
    """Offer what can be seen without a micrograph of one's own."""
    st.caption("Nothing at hand? See what it does with simulated micrographs, or take one:")
    tour.offer()
    samples.offer("home")


def show_tasks() -> None:
    """Link to every task with one sentence each."""
    grid = st.grid(_IN_A_ROW, min_column_width=_CARD_PX, border=True)
    for path, (title, icon) in TASKS.items():
        with grid.cell():
            st.page_link(path, label=say.line("**{title}**", title=title), icon=icon)
            say.caption("{promises}", promises=PROMISES[path])


page.setup("Micrographia")
st.caption(
    "An interpretable-AI workbench for electron micrographs: what a network sees in them and why, "
    "what they measure, and a report of it."
)
readings.look()
current = workspace.current()
with page.user_errors():
    loading.draw()
    page.studies.draw()
    if current is None:
        gallery.offer_back()
        show_samples()
    else:
        sidebar.draw(current)
        filmstrip.draw(workspace.every(), current, workspace.select)
        grouped.draw()
        correction.draw(current)
        gallery.draw()
        st.subheader("What to do with it", anchor=False)
    show_tasks()
    if current is not None:
        with st.expander("Simulated samples", icon=":material/science:"):
            show_samples()
page.settings(with_link=current is not None)
