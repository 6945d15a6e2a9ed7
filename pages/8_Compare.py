"""Compare the loaded micrographs: who is like whom, samples and classes by a loop, doubles."""

import streamlit as st

from core.ui import compare, page, train
from core.ui.shell import EXCLUDE

page.setup("Compare")
page.require_micrograph()
with st.sidebar:
    exclude = EXCLUDE.draw()
page.settings()
with page.user_errors():
    compare.board.draw(
        "compare",
        exclude=exclude,
        classes=compare.Classes(train.labels.names, train.labels.class_of, train.labels.give_named),
    )
