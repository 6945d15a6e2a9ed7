"""Group pixels or whole images into clusters and measure one of them."""

from dataclasses import replace

import streamlit as st

from core.ui import cache, compare, page
from core.ui.cluster import choices, region_picker, settings, sizes, trial, views
from core.ui.parts import attribution, say, show, tables
from core.ui.shell import EXCLUDE

page.setup("Cluster")
micrograph = page.require_micrograph()
mode = settings.mode()
if mode == settings.IMAGES:
    with st.sidebar:
        exclude = EXCLUDE.draw()
    page.settings()
    with page.user_errors():
        compare.board.draw("cluster", exclude=exclude)
        st.page_link(
            "pages/8_Compare.py", label="Name samples and classes", icon=":material/lasso_select:"
        )
    st.stop()

with page.user_errors():
    choice, measured = settings.ask(micrograph, mode)
    page.settings()
    clustering = views.find(micrograph, choice)
    target = choices.target(micrograph, choice, measured.target)

    top, pictures, facts = show.answer_first()
    with top:
        views.shares(micrograph, target, clustering)
    with pictures:
        views.pictures(micrograph, choice, target, measured.regions)
        region_picker.draw(micrograph)
    with facts:
        choices.draw(micrograph, choice, measured, clustering)
        views.facts(micrograph, choice, measured.regions, clustering)
    views.features(micrograph, choice, clustering)

    say.subheader("Regions of cluster {target}", target=target)
    regions = cache.regions(micrograph, choice, target, measured.regions)
    say.caption(
        "{regions} · {smallest}",
        regions=tables.regions_summary(regions),
        smallest=choices.smallest(micrograph, measured.regions),
    )
    place = trial.ask()
    choices.offer_segment(micrograph, choice, target, measured.regions)
    elsewhere = replace(choice, region=None)  # a region belongs to one frame
    sizes.draw(
        micrograph,
        clustering.labels,
        target,
        regions,
        cache.cluster_target(micrograph, choice, target, measured.regions),
        found_by=measured.regions,
        mask_png=cache.mask_png(micrograph, choice, target),
        draw_table=lambda table: views.table(table, regions),
        fraction_of=lambda field: cache.cluster_fractions(field, elsewhere)[target],
    )
    trial.draw(micrograph, choice, target, measured.regions, place)
    views.help_choosing(micrograph, choice)
    attribution.draw(
        micrograph,
        page.model_picker,
        prefix="cluster",
        exclude=choice.exclude,
        clustering=clustering,
        settings=repr(choice),
    )
