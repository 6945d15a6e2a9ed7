"""What is left after a reload or behind a deep link, and one line that says so.

The address bar carries how many files were loaded and which samples, and for an hour the key under
which the work of this browser is kept: samples can be simulated again, files cannot.
"""

from __future__ import annotations

import re

import streamlit as st

from core.imaging.simulation import KINDS
from core.ui.page import keeping
from core.ui.page.links import address
from core.ui.parts import say
from core.ui.shell import workspace

_FILES, _BATCH, _WORK = "files", "batch", "work"
_BATCH_KEY = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_ALIVE, _NOTE = "revival_alive", "revival_note"
_SAMPLE = re.compile(r"([a-z_]{1,20})-(\d{1,3})", re.ASCII)


def restore() -> None:
    """In a new session, bring back what the address names; say what is missing."""
    if not st.session_state.get(_ALIVE):
        st.session_state[_ALIVE] = True
        note = _take_over(st.query_params.to_dict())
        if note:
            st.session_state[_NOTE] = note
    note = st.session_state.pop(_NOTE, None)
    if note:
        say.info("{note}", note=say.Line(note), icon=":material/restart_alt:")


def _take_over(stated: dict[str, str]) -> str:
    """Load the samples and settings of an address; return what to say of it, empty for nothing."""
    back, settings = keeping.revive(stated.pop(_WORK, ""))
    files, odd_files = _lost_files(stated.pop(_FILES, ""))
    wanted, odd_samples = _wanted_samples(stated.pop(address.SAMPLES, ""))
    if back:
        address.take_over(settings)
        wanted = []
    for kind, seed in wanted:
        workspace.add_sample(kind, seed)
    odd_batch = _want_batch(stated.pop(_BATCH, ""))
    held, odd_parts = address.take_over(stated)
    for name in stated:
        del st.query_params[name]  # it held once: from now on the widgets say what holds
    odd = odd_files + odd_samples + odd_batch + odd_parts
    said = ""
    if address.is_link(stated):
        said = _sentence_of_link(held, len(wanted), address.needs_file(stated))
    elif back:
        said = (
            f"The page was opened anew; {_number(back, 'micrograph')} and your settings are back."
        )
    elif files or wanted:
        said = _sentence(files, len(wanted))
    if odd:
        were, are = ("was", "is") if odd == 1 else ("were", "are")
        said += f" {_number(odd, 'part')} of the address {were} not understood and {are} left out."
    return said.strip()


def remember() -> None:
    """Write into the address what a reload will want to know."""
    files = len(workspace.every()) - len(workspace.samples())
    said = {
        _FILES: str(files) if files else None,
        address.SAMPLES: address.name_samples() or None,
        _BATCH: st.session_state.get(workspace.BATCH_KEPT) or None,
        _WORK: keeping.keep(address.stated) or None,
    }
    for name, value in said.items():
        if st.query_params.get(name) != value:
            if value is None:
                del st.query_params[name]
            else:
                st.query_params[name] = value


def _want_batch(stated: str) -> int:
    """Note which batch an address names, for the page that shows it; return 1 for what is none."""
    if _BATCH_KEY.fullmatch(stated):
        st.session_state[workspace.BATCH_WANTED] = stated
        return 0
    return int(bool(stated))


def _lost_files(stated: str) -> tuple[int, int]:
    """Return how many files an address names, and whether it names something else."""
    if re.fullmatch(r"\d{1,4}", stated, re.ASCII):
        return int(stated), 0
    return 0, int(bool(stated))


def _wanted_samples(stated: str) -> tuple[list[tuple[str, int]], int]:
    """Return kind and seed of the samples of an address, and how many are none."""
    named = stated.split(".") if stated else []
    matches = [_SAMPLE.fullmatch(name) for name in named[: address.MOST_SAMPLES]]
    found = [(m[1], int(m[2])) for m in matches if m and m[1] in KINDS]
    return list(dict.fromkeys(found)), len(named) - len(found)


def _sentence(files: int, samples: int) -> str:
    back = (
        f" {_number(samples, 'sample')} {'is' if samples == 1 else 'are'} back." if samples else ""
    )
    lost = f" {_number(files, 'file')} must be loaded again." if files else ""
    return f"The page was opened anew, which starts a new session.{back}{lost}"


def _sentence_of_link(settings: int, samples: int, needs_file: bool) -> str:
    parts = [_number(samples, "sample")] * bool(samples)
    parts += [_number(settings, "setting")] * bool(settings)
    said = f"Opened from a link{' with ' if parts else ''}{' and '.join(parts)}."
    if needs_file:
        said += " It was made with a file, which no link carries: load that on Home."
    return said


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
