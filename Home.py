"""Load micrographs, see what was understood of them, go to a task."""

import streamlit as st

from core.ui import page
from core.ui.home import correction, gallery, loading
from core.ui.home import samples as grouped
from core.ui.home import tasks as finished
from core.ui.parts import filmstrip, say
from core.ui.shell import PROMISES, TASKS, readings, samples, tour, workspace

_CARD_PX = 190  # narrower, a task's name does not fit
_IN_A_ROW = 4


def show_samples() -> None:
    """Offer what can be seen without a micrograph of one's own."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        tour.offer()
        samples.offer("home")


def show_tasks() -> None:
    """Link to every task with one sentence each."""
    grid = st.grid(_IN_A_ROW, min_column_width=_CARD_PX, gap="small")
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
    loading.draw(page.studies.draw)
    page.studies.tell()
    if current is None:
        gallery.offer_back()
        st.caption("Nothing at hand? Each of these opens with simulated micrographs:")
        finished.draw(page.take_over)
        show_samples()
    else:
        page.about(current)
        filmstrip.draw(workspace.every(), current, workspace.select)
        correction.draw(current, grouped.draw)
        gallery.draw()
        st.subheader("What to do with it", anchor=False)
    show_tasks()
    if current is not None:
        with st.expander("Simulated samples", icon=":material/science:"):
            show_samples()
page.settings(with_link=current is not None)
