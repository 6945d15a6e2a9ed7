"""Teach a model one's own classes, with an honest score, in a minute."""

import streamlit as st

from core.ui import page, train
from core.ui.shell import workspace

page.setup("Train")
current = workspace.current()
if current is not None:
    page.about(current)
st.caption(
    "Give a few pictures of each of your classes: five of different specimens are a start, twenty "
    "are good. What you drop here is loaded for the other pages, too."
)
with page.user_errors():
    answer = st.container()
    train.sources.draw()
    pictures = train.labels.pictures()
    result = None
    if pictures:
        with st.sidebar:
            train.settings.GROUPS.draw()
        if train.checks.draw(pictures, is_learnt=train.learn.made() is not None):
            result = train.learn.draw(pictures)
            train.thorough.draw(pictures)
    if result is not None:
        with answer:
            train.result.answer(result)
        train.result.draw(result, pictures)
        train.advice.draw(result, pictures)
page.settings()
