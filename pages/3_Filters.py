"""Build a chain of filters, see what each step does, and take the result and its recipe home."""

import streamlit as st

from core.ui import page
from core.ui.filters import bench, chain, facts, pictures, recipe, settings
from core.ui.parts import say, show
from core.ui.shell import EXCLUDE, samples

page.setup("Filters")
micrograph = page.require_micrograph()

with page.user_errors():
    with st.sidebar:
        steps = chain.edit(micrograph)
        exclude = EXCLUDE.draw()
    page.settings()

    facts.draw_history(micrograph)
    outcome = bench.run(micrograph, steps, exclude)
    if outcome.problem:
        done = "up to the step before" if outcome.facts else "unfiltered"
        say.error("{problem} Shown is the image {done}.", problem=outcome.problem, done=done)

    view = settings.VIEW.draw()
    if pictures.is_wide(view):
        pictures.draw(outcome, view)
        levels, effects = show.beside()
    else:
        effects, levels = show.beside(2)
        with effects:
            pictures.draw(outcome, view)
    with levels:
        samples.badge(micrograph)
        pictures.draw_beside(outcome, view)
        facts.draw_histogram(outcome)
    with effects:
        facts.draw_steps(outcome)
    facts.draw_results(outcome)
    recipe.draw(steps, exclude)
