"""Name the morphology of a micrograph, with the network's doubts."""

import streamlit as st

from core.ui import cache, classify, page
from core.ui.models import card
from core.ui.parts import show, viewer
from core.ui.shell import EXCLUDE, samples, workspace

page.setup("Classify")
micrograph = page.require_micrograph()

with page.user_errors():
    with st.sidebar:
        model_name = page.model_picker()
        exclude = EXCLUDE.draw()
        model = cache.model(model_name)
        level = classify.answer.choose_level(model)
    page.settings()

    answer = cache.classification(micrograph, model_name, exclude, level)
    top, picture, result = show.answer_first()
    with picture:
        viewer.show_micrograph(micrograph, exclude, key="classify_viewer")
    with top:
        samples.badge(micrograph)
        classify.answer.headline(model, answer)
        verdict = st.container(height="content")
        if not answer.shows_nothing:  # the headline has said so
            show.caution(micrograph, exclude)
    with result:
        classify.answer.bars(model, answer)
        evidence = st.container()
        # The answer stands before it is checked: the checks ask the network many times more.
        with st.expander("How it was checked", icon=":material/checklist:"):
            classify.answer.explain(model, answer, level)
            made = classify.checks.draw(
                classify.checks.run(micrograph, model, model_name, answer, exclude, level),
                st.container(gap="xsmall"),
            )
        if not answer.shows_nothing:
            classify.verdict.draw(classify.verdict.judge(answer, made), verdict)
            classify.answer.where(micrograph, model_name, answer, exclude, evidence)

    classify.tile_map.draw(micrograph, model_name, exclude)
    classify.table.draw(workspace.every(), model_name, exclude, level)
    card.draw(model, model_name)
