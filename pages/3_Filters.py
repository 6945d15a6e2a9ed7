"""Build a chain of filters, see what each step does, and take the result and its recipe home."""

import streamlit as st

from core.ui import (
    bench,
    chain,
    chain_recipe,
    filter_facts,
    filter_pictures,
    page,
    show,
)

page.setup("Filters")
micrograph = page.require_micrograph()

with page.user_errors():
    with st.sidebar:
        steps = chain.edit(micrograph)
        exclude = page.exclude_overlays()
    page.settings()

    filter_facts.draw_history(micrograph)
    outcome = bench.run(micrograph, steps, exclude)
    if outcome.problem:
        done = "up to the step before" if outcome.facts else "unfiltered"
        st.error(show.plain(f"{outcome.problem} Shown is the image {done}."))

    view = filter_pictures.choose()
    if filter_pictures.is_wide(view):
        filter_pictures.draw(outcome, view)
        levels, effects = show.beside()
    else:
        effects, levels = show.beside(2)
        with effects:
            filter_pictures.draw(outcome, view)
    with levels:
        show.simulated_badge(micrograph)
        filter_pictures.draw_beside(outcome, view)
        filter_facts.draw_histogram(outcome)
    with effects:
        filter_facts.draw_steps(outcome)
    filter_facts.draw_results(outcome)
    chain_recipe.draw(steps, exclude)
