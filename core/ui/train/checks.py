"""What is said of the pictures before anything is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.ui import cache
from core.ui.parts import say, show, working

if TYPE_CHECKING:
    from core.learning.training import LabelledPicture


def draw(pictures: list[LabelledPicture]) -> bool:
    """Draw counts and findings; return whether there is something to learn from."""
    st.subheader("Before it learns", anchor=False)
    with working.progress_bar("looking at {}") as tell:
        findings = cache.training_findings(pictures, tell)
    show.table(_counts(pictures), "train_counts")
    for finding in findings:
        icon = ":material/warning:" if finding.grave else ":material/info:"
        if finding.grave:
            say.warning("{text}", text=finding.text, icon=icon)
        else:
            say.markdown("- {text}", text=finding.text)
    if not findings:
        st.markdown("- Nothing speaks against these pictures.")
    return len({picture.label for picture in pictures}) > 1


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
