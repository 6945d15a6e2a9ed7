"""Show where in the frame the network finds evidence for a class."""

import streamlit as st

from core.ui import attribution, cache, compare, explain_settings, explain_views, page, show, trust

page.setup("Explain")
micrograph = page.require_micrograph()

with page.user_errors():
    with st.sidebar:
        question, look, answer = explain_settings.ask(micrograph)
    page.settings()

    overlay = cache.heatmap_png(micrograph, question, look)

    pictures, facts = show.beside(2)
    with pictures:
        compare.slider(
            cache.micrograph_png(micrograph),
            overlay,
            labels=("Original", cache.fitting(question.model_name)[question.method]),
            key="explain_slider",
            alt=f"evidence for {question.target} in {micrograph.name}",
            caption=show.caption(micrograph, question.exclude),
        )
    with facts:
        show.simulated_badge(micrograph)
        show.caution(micrograph, question.exclude)
        explain_views.facts(micrograph, question, look, answer)
    explain_views.downloads(micrograph, question, look)

    section = st.segmented_control(
        "Look closer",
        (explain_views.VALUES, explain_views.METHODS, trust.TITLE),
        key="explain_section",
        persist_state="session",
    )
    if section == explain_views.VALUES:
        explain_views.values(micrograph, question, look)
    elif section == explain_views.METHODS:
        explain_views.all_methods(micrograph, question, look)
    elif section == trust.TITLE:
        trust.draw(micrograph, question)

    attribution.draw(micrograph, prefix="explain", question=question)
