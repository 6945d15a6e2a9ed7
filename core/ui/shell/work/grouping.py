"""Which sample each micrograph shows: by a rule over names, by hand, or from a table.

One setting and one table for all pages: Home asks, Batch Report asks first, and a recipe takes
both over. What a person said of a micrograph counts before the rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.micrograph import Micrograph
from core.ui.parts import Choice, say
from core.ui.shell import workspace

_MOST_CHIPS = 12
PARTS_OF_NAMES = {
    "": "not stated",
    "folder": "folder",
    "folder:2": "folder above that",
    "name:start": "file name without its number",
    "name:1": "first part of the file name",
    "name:2": "second part of the file name",
    "name:-1": "last part of the file name",
}
OF_NAMES = "Parts of a file name are divided by spaces, dots, - and _."
SAMPLE = Choice(
    name="batch-sample",
    key="batch_sample_from",
    label="Sample named by",
    help=f"Fields of one sample are averaged, and samples are compared. {OF_NAMES}",
    default="",
    options=PARTS_OF_NAMES,
    recipe="sample_from",
)


def stated() -> dict[str, str]:
    """Return what was said by hand or in a table: digest to sample."""
    found: dict[str, str] = st.session_state.setdefault(workspace.NAMED_SAMPLES, {})
    return found


def state(samples: Mapping[str, str]) -> None:
    """Say of which sample micrographs are, by their digests; "" takes it back."""
    known = stated()
    for sha256, sample in samples.items():
        plain = " ".join(sample.split())
        known.pop(sha256, None)
        if plain:
            known[sha256] = plain[:120]


def sample_of(micrograph: Micrograph) -> str:
    """Return the sample of a micrograph; "" where nobody says and the rule finds none."""
    if by_hand := stated().get(micrograph.sha256):
        return by_hand
    rule = SAMPLE.value()
    if not rule:
        return ""
    from core.reporting.batch import find_part

    return find_part(rule, micrograph, micrograph.name)


def of_loaded() -> dict[str, int]:
    """Return how many of the loaded micrographs each sample has; unnamed ones are left out."""
    counts: dict[str, int] = {}
    for each in workspace.every():
        if sample := sample_of(each):
            counts[sample] = counts.get(sample, 0) + 1
    return counts


def pairs() -> tuple[tuple[str, str], ...]:
    """Return name and sample of those that were named by hand, as a recipe states them."""
    known = stated()
    found = {m.name: known[m.sha256] for m in workspace.every() if m.sha256 in known}
    return tuple(found.items())


def ask(names: Sequence[str], key: str, *, with_counts: bool = True) -> None:
    """Draw the rule, how many of each sample it gives, and a better one where there is one.

    Parameters
    ----------
    names : sequence of str
        Of the files that are grouped, with their folders; may be empty.
    key : str
        Of the widgets on this page.
    with_counts : bool
        Whether to draw how many each sample has; off where the page says so itself.
    """
    from core.reporting.batch import count_samples, suggest_rule

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", width="content"):
        with st.container(width=270):
            # Said anew, since two pages draw it: what a reload brought back before the browser
            # knew of it would be taken for the first option on the second page.
            SAMPLE.put(SAMPLE.value())
            rule = SAMPLE.draw()
        counts = count_samples(rule, names) if rule else {}
        if counts:
            _chips(counts if with_counts else {}, len(names) - sum(counts.values()))
        elif wanted := suggest_rule(names):
            st.button(
                say.line("Use {samples}", samples=written(count_samples(wanted, names))),
                key=f"{key}_suggested",
                icon=":material/auto_awesome:",
                help=say.line("Named by: {rule}", rule=SAMPLE.titles[wanted]),
                on_click=SAMPLE.put,
                args=(wanted,),
            )


def written(counts: Mapping[str, int]) -> str:
    """Return counts in one line: "AgC 9 · PowderB 10"."""
    shown = [f"{name} {count}" for name, count in list(counts.items())[:_MOST_CHIPS]]
    rest = len(counts) - _MOST_CHIPS
    return " · ".join([*shown, *([f"{rest} more"] if rest > 0 else [])])


def _chips(counts: Mapping[str, int], without: int) -> None:
    with st.container(horizontal=True, gap="xxsmall", vertical_alignment="center"):
        for name, count in list(counts.items())[:_MOST_CHIPS]:
            st.badge(say.line("{name} {count}", name=name, count=count), color="blue")
        if (rest := len(counts) - _MOST_CHIPS) > 0:
            st.badge(say.line("{rest} more", rest=rest), color="gray")
        if without:
            st.badge(say.line("{n} without a sample", n=without), color="orange")
