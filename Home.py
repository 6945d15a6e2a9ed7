"""Load micrographs, see what was understood of them, go to a task."""

import streamlit as st

from core.ui import correction, gallery, page, sidebar, tour, uploading, workspace

PROMISES = {
    "pages/1_Classify.py": "Which morphology is it, and how sure is the network?",
    "pages/2_Explain.py": "Where in the frame does the network find its evidence?",
    "pages/3_Filters.py": "Chain filters and compare before with after.",
    "pages/4_Cluster.py": "Split grey levels into phases; measure areas and regions.",
    "pages/5_Batch_Report.py": "Many micrographs at once: tables and a report to keep.",
}


def show_tasks() -> None:
    """Link to every task with one sentence each."""
    columns = st.columns(len(page.TASKS))
    for column, (path, (title, icon)) in zip(columns, page.TASKS.items(), strict=True):
        with column.container(border=True, height="stretch", gap="xsmall"):
            st.page_link(path, label=f"**{title}**", icon=icon)
            st.caption(PROMISES[path])


page.setup("Micrographia")
st.caption("An interpretable-AI workbench for electron micrographs.")
with page.user_errors():
    uploading.draw()
    st.caption("Nothing at hand? See what it does with simulated micrographs, or take one:")
    tour.offer()
    page.sample_picker("home")
    current = workspace.current()
    if current is not None:
        sidebar.draw(current)
        gallery.draw()
        correction.draw(current)
        st.subheader("What to do with it", anchor=False)
    show_tasks()
page.settings()
