"""Show where in the frame the network finds evidence for a class."""

import streamlit as st

from core.ui import cache, page
from core.ui.explain import settings, trust, views
from core.ui.parts import attribution, show, viewer
from core.ui.shell import samples

page.setup("Explain")
micrograph = page.require_micrograph()

with page.user_errors():
    with st.sidebar:
        question, look, answer = settings.ask(micrograph, page.model_picker())
    page.settings()

    method = cache.fitting(question.model_name)[question.method]
    top, pictures, facts = show.answer_first()
    with top:
        samples.badge(micrograph)
        if not answer.shows_nothing:  # the answer says so
            show.caution(micrograph, question.exclude)
        badge = views.answer(micrograph, question, answer)
    with pictures:
        viewer.show_micrograph(
            micrograph,
            question.exclude,
            key="explain_viewer",
            layers=views.layers(micrograph, question, look),
            labels=("Original", method),
            pngs=lambda: (
                cache.micrograph_png(micrograph),
                cache.heatmap_png(micrograph, question, look),
            ),
            alt=f"evidence for {question.target} in {micrograph.name}",
        )
        strip = st.container()
    with facts:
        views.facts(micrograph, question, look, answer)
        views.save(micrograph, question, look)

    section = settings.SECTION.draw()
    if section == settings.VALUES:
        views.values(micrograph, question, look)
    elif section == settings.ALL_METHODS:
        views.all_methods(micrograph, question, look)
    elif section == settings.TRUST:
        trust.draw(micrograph, question)
    with badge:
        trust.mark(micrograph, question)

    attribution.draw(micrograph, page.model_picker, prefix="explain", question=question)
    with strip:  # last: the other answers wait for the one that was asked for
        views.methods(micrograph, question)
