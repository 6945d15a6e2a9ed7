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
    picture, result = show.beside(2)
    with picture:
        viewer.show_micrograph(micrograph, exclude, key="classify_viewer")
    with result:
        samples.badge(micrograph)
        show.caution(micrograph, exclude)
        doubts = st.container()
        classify.answer.draw(model, answer, level)
        st.page_link("pages/2_Explain.py", label="See where", icon=":material/visibility:")

    # The answer stands before it is checked: the checks ask the network many times more.
    st.subheader("How far to trust it", anchor=False)
    calm = st.container(gap="xxsmall")
    checks = classify.checks.run(micrograph, model, model_name, answer, exclude, level)
    classify.checks.draw(checks, doubts, calm)

    classify.tile_map.draw(micrograph, model_name, exclude)
    classify.table.draw(workspace.every(), model_name, exclude, level)
    card.draw(model, model_name)
