"""Load micrographs, see what is loaded, go to a task."""

from functools import partial

import streamlit as st

from core.micrograph import Micrograph
from core.ui import cache, page, show, workspace

PROMISES = {
    "pages/1_Classify.py": "Which morphology is it, and how sure is the network?",
    "pages/2_Explain.py": "Where in the frame does the network find its evidence?",
    "pages/3_Filters.py": "Chain filters and compare before with after.",
    "pages/4_Cluster.py": "Split grey levels into phases; measure areas and regions.",
    "pages/5_Batch_Report.py": "Many micrographs at once: tables and a report to keep.",
}
CARDS_PER_PAGE = 24
THUMBNAIL_WH = (198, 148)  # px


def show_uploader() -> None:
    """Take files; the uploader is emptied after each, since the gallery shows what is loaded."""
    turn = st.session_state.setdefault("home_turn", 0)
    files = st.file_uploader(
        "Micrographs: PNG, JPEG, BMP or TIFF, 8 to 32 bits",
        page.FORMATS,
        accept_multiple_files=True,
        key=f"home_upload_{turn}",
    )
    if files:
        with st.spinner("Reading …"):
            st.session_state["home_problems"] = workspace.add(files)
        st.session_state["home_turn"] = turn + 1
        st.rerun()
    for problem in st.session_state.pop("home_problems", []):
        known = isinstance(problem, workspace.AlreadyLoadedError)
        (st.info if known else st.error)(show.plain(str(problem)))


def show_tasks() -> None:
    """Link to every task with one sentence each."""
    columns = st.columns(len(page.TASKS))
    for column, (path, (title, icon)) in zip(columns, page.TASKS.items(), strict=True):
        with column.container(border=True, height="stretch", gap="xsmall"):
            st.page_link(path, label=f"**{title}**", icon=icon)
            st.caption(PROMISES[path])


def show_gallery() -> None:
    """Show a card per micrograph: picture, name, size, depth and scale; choose or remove it."""
    micrographs = workspace.every()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader(f"Loaded ({len(micrographs)})", anchor=False, width="stretch")
        if st.button("Clear all", icon=":material/delete_sweep:", key="home_clear"):
            workspace.clear()
            st.rerun()
    first = 0
    if len(micrographs) > CARDS_PER_PAGE:
        pages = -(-len(micrographs) // CARDS_PER_PAGE)
        first = CARDS_PER_PAGE * (st.number_input("Gallery page", 1, pages, key="home_page") - 1)
    current = workspace.current()
    with st.container(horizontal=True):
        for micrograph in micrographs[first : first + CARDS_PER_PAGE]:
            show_card(micrograph, chosen=micrograph is current)


def fit_width(micrograph: Micrograph) -> int:
    """Return the width at which a thumbnail of any proportions fits on its card."""
    height, width = micrograph.shape
    return max(8, min(THUMBNAIL_WH[0], THUMBNAIL_WH[1] * width // height))


def show_card(micrograph: Micrograph, chosen: bool) -> None:
    """Show one micrograph with its two buttons."""
    digest = micrograph.sha256
    with st.container(border=True, width=232, height="stretch", vertical_alignment="distribute"):
        with st.container(gap="xxsmall"):
            with st.container(height=THUMBNAIL_WH[1], border=False, horizontal_alignment="center"):
                st.image(
                    cache.thumbnail_png(micrograph),
                    width=fit_width(micrograph),
                    alt=micrograph.name,
                )
            st.markdown(f"**{show.plain(micrograph.name)}**")
            st.caption(show.plain(workspace.describe(micrograph)))
            show.simulated_badge(micrograph)
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            icon = ":material/check:" if chosen else None
            select = partial(workspace.select, digest)
            st.button(
                "Chosen" if chosen else "Choose",
                f"home_choose_{digest}",
                icon=icon,
                disabled=chosen,
                on_click=select,
            )
            st.button(
                "",
                f"home_remove_{digest}",
                "Remove",
                icon=":material/close:",
                type="tertiary",
                on_click=partial(workspace.remove, digest),
            )


page.setup("Micrographia")
st.caption("An interpretable-AI workbench for electron micrographs.")
with page.user_errors():
    show_uploader()
    st.caption("Nothing at hand? Take a simulated micrograph:")
    page.sample_picker("home")
    if workspace.every():
        show_gallery()
        st.subheader("What to do with it", anchor=False)
    show_tasks()
page.settings()
