"""Classify, explain, cluster and measure many micrographs; take the report home."""

import streamlit as st

from core.ui import page
from core.ui.batch import live, results
from core.ui.batch import recipe as batch_recipe
from core.ui.batch import run as batch_run
from core.ui.batch import sources as batch_sources
from core.ui.parts import say, show
from core.ui.shell import samples, workspace

page.setup("Batch Report")
current = workspace.current()
if current is not None:
    page.about(current)

with page.user_errors():
    recipe = None
    with st.sidebar, page.user_errors():  # a wrong recipe hides no batch
        recipe = batch_recipe.choose(page.model_picker, page.for_recipe)
    page.settings()

    sources = batch_sources.choose()
    batch_sources.ask_samples(sources, recipe, batch_recipe.is_from_file())
    if recipe is not None:
        with page.user_errors():
            batch_recipe.summary(recipe, folded=batch_run.is_done())
            batch_recipe.offer_objects()
    else:
        st.write("Give a recipe.json in the sidebar; every report holds one.")
    if said := batch_run.bring_back():
        say.info("{said}", said=say.Line(said), icon=":material/restart_alt:")
    run = batch_run.latest()
    busy = run is not None and run.is_running
    can_run = recipe is not None and not busy
    if not sources and not busy and run is None:
        st.write("Add micrographs above, or take simulated samples:")
        samples.offer("batch")
    elif sources and st.button(
        show.on_primary(batch_sources.run_label(sources), enabled=can_run),
        type="primary",
        icon=":material/play_arrow:",
        key="batch_run_now",
        disabled=not can_run,
    ):
        with page.user_errors():
            batch_run.start(sources, recipe)
            st.rerun()

    if busy:
        live.draw()
    elif run is not None and run.problem:
        say.error("{problem}", problem=run.problem, icon=":material/error:")
    elif run is not None and run.result is not None:
        batch_run.kept_key()
        page.remember()  # at once: who reloads now finds the result again
        results.draw(run, run.result)
