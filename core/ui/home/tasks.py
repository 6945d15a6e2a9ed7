"""The strip of finished results: each shows a task on simulated micrographs and opens it loaded."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st
from PIL import Image

from core.ui.parts import say
from core.ui.shell import grouping, user_errors, workspace

PICTURES = Path(__file__).with_name("pictures")
_CARD_PX = 150  # narrower, nothing is seen
Sample = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Task:
    """What a person comes for, and how a page opens that does it.

    Parameters
    ----------
    name : str
        Of its picture and its button.
    title, shows : str
        The task as a person says it, and what the picture shows.
    page : str
        The page that opens.
    samples : tuple of (kind, seed)
        Simulated micrographs that are loaded; the first one is chosen.
    settings : mapping
        Settings by the names that a link gives them, with their texts.
    groups : mapping
        Which of the samples are fields of one specimen, and what it is called.
    """

    name: str
    title: str
    shows: str
    page: str
    samples: tuple[Sample, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[Sample, str] = field(default_factory=dict)

    @property
    def picture(self) -> Path:
        """Where its picture lies, made by `python -m core.ui.home.thumbnails`."""
        return PICTURES / f"{self.name}.webp"


_SHORT, _LONG = "short anneal", "long anneal"
_FIELDS: dict[Sample, str] = {
    ("alloys", seed): _LONG if seed % 2 else _SHORT for seed in (0, 2, 4, 1, 3, 5)
}
TASKS = (
    Task(
        "what",
        "What is it and why?",
        "A class, how far to trust it, and the place that decided.",
        "pages/1_Classify.py",
        (("dendrites", 0),),
    ),
    Task(
        "measure",
        "Measure particles",
        "Every particle outlined, counted and sized.",
        "pages/5_Segment.py",
        (("spheroids", 0),),
        {"segment-way": "particles"},
    ),
    Task(
        "phases",
        "How much of each phase?",
        "Area fractions with their intervals.",
        "pages/4_Cluster.py",
        (("alloys", 1),),
        {"k": "2"},
    ),
    Task(
        "explain",
        "Explain my network",
        "Methods side by side, checked against chance.",
        "pages/2_Explain.py",
        (("rods_fibres", 0),),
        {"section": "methods"},
    ),
    Task(
        "compare",
        "Compare samples",
        "Fields of two samples, with a test of their difference.",
        "pages/6_Batch_Report.py",
        tuple(_FIELDS),
        {"k": "2"},
        _FIELDS,
    ),
)


def draw(take_over: Callable[[Mapping[str, str]], object]) -> None:
    """Draw one card per task.

    Parameters
    ----------
    take_over : callable
        Sets settings that are given by name and text, as a link states them.
    """
    cards = st.grid(len(TASKS), min_column_width=_CARD_PX, gap="small")
    for task in TASKS:
        with cards.cell(), st.container(gap="xsmall"):
            st.image(_as_jpeg(task.picture), width="stretch", alt=f"{task.shows} Simulated.")
            opens = st.button(
                say.line("{title}", title=task.title),
                key=f"home_task_{task.name}",
                width="stretch",
                help="Opens the page with a simulated micrograph loaded.",
            )
            say.caption("{shows}", shows=task.shows)
        if opens:
            with user_errors():
                _load(task)
                take_over(task.settings)
                st.switch_page(task.page)


@functools.cache
def _as_jpeg(picture: Path) -> bytes:
    """Return a picture as browsers of all ages take it; Streamlit would make it so at every run."""
    held = io.BytesIO()
    with Image.open(picture) as opened:
        opened.convert("RGB").save(held, "JPEG", quality=90)
    return held.getvalue()


def _load(task: Task) -> None:
    """Load the samples of a task that are not there yet, and choose its first one."""
    there = set(workspace.samples())
    with st.spinner("Simulating …"):
        for kind, seed in task.samples:
            if (kind, seed) not in there:
                workspace.add_sample(kind, seed)
    digests = {workspace.sample_name(*sample): sample for sample in task.samples}
    by_sample = {
        digests[each.name]: each.sha256 for each in workspace.every() if each.name in digests
    }
    grouping.state({by_sample[sample]: group for sample, group in task.groups.items()})
    workspace.select(by_sample[task.samples[0]])
