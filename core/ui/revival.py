"""What is left after a reload or behind a deep link, and one line that says so.

The address bar carries how many files were loaded and which samples: samples can be simulated
again, files cannot, since a server keeps them only as long as the page stays open.
"""

from __future__ import annotations

import re

import streamlit as st

from core.imaging.simulate import KINDS
from core.ui import workspace

_FILES, _SAMPLES = "files", "samples"
_MOST_SAMPLES = 6  # a link must not make the server work for long
_MOST_SEED = 999
_ALIVE, _NOTE = "revival_alive", "revival_note"
_SAMPLE = re.compile(r"^([a-z_]{1,20})-(\d{1,3})$")


def restore() -> None:
    """In a new session, bring back the samples that the address names; say what is missing."""
    if not st.session_state.get(_ALIVE):
        st.session_state[_ALIVE] = True
        files, wanted = _lost_files(), _wanted_samples()
        for kind, seed in wanted:
            workspace.add_sample(kind, seed)
        if files or wanted:
            st.session_state[_NOTE] = _sentence(files, len(wanted))
    note = st.session_state.pop(_NOTE, None)
    if note:
        st.info(note, icon=":material/restart_alt:")


def remember() -> None:
    """Write into the address what a reload will want to know."""
    samples = workspace.samples()
    files = len(workspace.every()) - len(samples)
    said = {
        _FILES: str(files) if files else None,
        _SAMPLES: ".".join(f"{kind}-{seed}" for kind, seed in samples[:_MOST_SAMPLES]) or None,
    }
    for name, value in said.items():
        if st.query_params.get(name) != value:
            if value is None:
                del st.query_params[name]
            else:
                st.query_params[name] = value


def _lost_files() -> int:
    stated = st.query_params.get(_FILES, "")
    return int(stated) if re.fullmatch(r"\d{1,4}", stated) else 0


def _wanted_samples() -> list[tuple[str, int]]:
    stated = st.query_params.get(_SAMPLES, "").split(".")[:_MOST_SAMPLES]
    matches = [match for match in map(_SAMPLE.match, stated) if match]
    found = [(match[1], int(match[2])) for match in matches if match[1] in KINDS]
    return list(dict.fromkeys(found))


def _sentence(files: int, samples: int) -> str:
    back = (
        f" {_number(samples, 'sample')} {'is' if samples == 1 else 'are'} back." if samples else ""
    )
    lost = f" {_number(files, 'file')} must be loaded again." if files else ""
    return f"The page was opened anew, which starts a new session.{back}{lost}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
