"""Objects and phases by strokes, thresholds, clusters or files, mended by hand and measured."""

import streamlit as st

from core.ui import cache, page
from core.ui.parts import show
from core.ui.segment import answer, files, hand, settings, trial, views

page.setup("Segment")
micrograph = page.require_micrograph()

with page.user_errors():
    asked = settings.ask(micrograph)
    page.settings()
    found = views.find(micrograph, asked)
    top = st.container(gap="small")
    pictures, facts = show.beside(2)
    with facts:
        phase = views.ask_phase(found, asked.target) if found else 1
    meant = cache.Objects(asked.choice, phase, asked.found_by, hand.history(micrograph).done)
    with pictures:
        views.draw(micrograph, asked, found, meant)
    if found:
        with top:
            answer.headline(micrograph, asked, meant)
        with facts:
            place = answer.draw_sizes(micrograph, asked, found.notes, meant)
            answer.phases(micrograph, asked, found)
        answer.downloads(micrograph, asked, meant)
        views.draw_table(micrograph, meant, asked.given)
        answer.more(micrograph, asked, meant)
        trial.draw(micrograph, asked, meant, place)
        answer.evidence(micrograph, asked, found, meant, page.model_picker)
        files.draw(micrograph, meant, asked.given, cache.objects(micrograph, meant, asked.given))
