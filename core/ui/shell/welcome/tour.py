"""The first minute: samples of every class and a line per page that leads to the next one."""

from __future__ import annotations

import streamlit as st

from core.imaging.simulation import KINDS
from core.reporting.report import NOTE, read_sample_report
from core.ui.parts import say, show
from core.ui.shell import workspace

_ON = "tour_on"
_FIRST, _FIRST_KIND = "pages/1_Classify.py", "dendrites"
_HOME = "Home.py"
_REPORT_PX = 640
# page's title -> what to try there; the path and the name of what comes next
_STEPS = {
    "Classify": (
        "What does the network call it, and how sure is it? Four more are in the sidebar.",
        "pages/2_Explain.py",
        "Explain",
    ),
    "Explain": (
        "Drag the divide: warm colours are where the network found its evidence.",
        "pages/3_Filters.py",
        "Filters",
    ),
    "Filters": (
        "Build a chain of filters in the sidebar; each step shows what it does.",
        "pages/4_Cluster.py",
        "Cluster",
    ),
    "Cluster": (
        "Grey levels are split into clusters; the target cluster is measured region by region.",
        "pages/5_Segment.py",
        "Segment",
    ),
    "Segment": (
        "Every object is outlined, counted and sized. Choose Delete and click what is none.",
        "pages/6_Batch_Report.py",
        "Batch Report",
    ),
    "Batch Report": (
        "Run all five at once, with what was set on the other pages, and take the report home.",
        _HOME,
        "Load your own",
    ),
}


def offer() -> None:
    """Draw the two ways to see what the app does before there is anything of one's own."""
    with st.container(horizontal=True, gap="small", width="content", vertical_alignment="center"):
        if st.button(
            show.on_primary("Try it"),
            type="primary",
            icon=":material/play_arrow:",
            key="tour_start",
            help="Loads a simulated micrograph of every class and leads through the six pages.",
        ):
            _start()
        offer_report()


def offer_report() -> None:
    """Draw the button that opens the finished sample report."""
    if st.button("Open a sample report", icon=":material/lab_profile:", key="tour_report"):
        _show_report()


def draw(title: str) -> None:
    """Draw the tour's line on a page: what to try here, where to go next, and a way out."""
    if not st.session_state.get(_ON) or title not in _STEPS:
        return
    what, path, name = _STEPS[title]
    place = list(_STEPS).index(title) + 1
    with st.container(
        border=True, key="tour_line", horizontal=True, gap="small", vertical_alignment="center"
    ):
        say.markdown(
            "**{place} of {steps}** · {what}",
            place=place,
            steps=len(_STEPS),
            what=what,
            width="stretch",
        )
        st.page_link(
            path, label=say.line("Next: {name}", name=name), icon=":material/arrow_forward:"
        )
        st.button(
            "",
            icon=":material/close:",
            key="tour_end",
            type="tertiary",
            help="End the tour",
            on_click=_end,
        )


def _start() -> None:
    """Load a sample of every class that is not there yet, and go to the first page."""
    there = {kind for kind, _ in workspace.samples()}
    with st.spinner("Simulating micrographs …"):
        for kind in KINDS:
            if kind not in there:
                workspace.add_sample(kind)
        _begin_with(_FIRST_KIND)
    st.session_state[_ON] = True
    st.switch_page(_FIRST)


def _begin_with(kind: str) -> None:
    """Make the first sample of a kind the current micrograph."""
    names = [workspace.sample_name(*each) for each in workspace.samples() if each[0] == kind]
    workspace.select(next(m.sha256 for m in workspace.every() if m.name == names[0]))


def _end() -> None:
    st.session_state[_ON] = False


@st.dialog("Sample report", width="large", icon=":material/lab_profile:")
def _show_report() -> None:
    html = read_sample_report()
    st.caption(NOTE)
    st.iframe(html, height=_REPORT_PX, alt="A finished report about twelve simulated micrographs")
    show.download(
        "Sample report (HTML)", html.encode(), "sample_report.html", "text/html", "tour_html"
    )
