"""What is said of the pictures before anything is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.ui import cache
from core.ui.parts import say, show, working

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.learning.training import LabelledPicture


def draw(pictures: list[LabelledPicture], *, is_learnt: bool = False) -> bool:
    """Draw counts and findings; return whether there is something to learn from.

    What is grave always stands open; the rest is folded once something was learnt.
    """
    if not is_learnt:
        st.subheader("Before it learns", anchor=False)
    with working.progress_bar("looking at {}") as tell:
        findings = cache.training_findings(pictures, tell)
    for finding in findings:
        if finding.grave:
            say.warning("{text}", text=finding.text, icon=":material/warning:")
    rest = [finding.text for finding in findings if not finding.grave]
    with _place(len(rest), is_learnt):
        show.table(_counts(pictures), "train_counts")
        for text in rest:
            say.markdown("- {text}", text=text)
        if not findings:
            st.markdown("- Nothing speaks against these pictures.")
    return len({picture.label for picture in pictures}) > 1


def _place(notes: int, is_learnt: bool) -> DeltaGenerator:
    if not is_learnt:
        return st.container()
    said = f": {notes} note{'' if notes == 1 else 's'}" if notes else ""
    return st.expander(say.line("What it learnt from{said}", said=said), icon=":material/list:")


def _counts(pictures: list[LabelledPicture]) -> pd.DataFrame:
    rows: dict[str, list[LabelledPicture]] = {}
    for picture in pictures:
        rows.setdefault(picture.label, []).append(picture)
    return pd.DataFrame(
        {
            "class": list(rows),
            "pictures": [len(own) for own in rows.values()],
            "originals": [len({p.group for p in own}) for own in rows.values()],
            "with a scale": [
                sum(p.micrograph.pixel_size is not None for p in own) for own in rows.values()
            ],
        }
    )
