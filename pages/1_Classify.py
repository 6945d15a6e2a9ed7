"""Name the morphology of a micrograph, with the network's doubts."""

import streamlit as st

from core.reporting import figures
from core.reporting.export import csv_bytes
from core.ui import cache, page, show, tables, workspace

page.setup("Classify")
micrograph = page.require_micrograph()

with page.user_errors():
    with st.sidebar:
        model_name = page.model_picker()
        exclude = page.exclude_overlays()
    page.settings()

    model = cache.model(model_name)
    answer = cache.classification(micrograph, model_name, exclude)
    name = model.card.display_name

    picture, result = st.columns([3, 2], gap="large")
    with picture:
        show.picture(micrograph, exclude)
    with result:
        show.simulated_badge(micrograph)
        show.caution(micrograph, exclude)
        st.metric("Most probable class", name(answer.label))
        st.markdown(
            f"Probability **{tables.percent(answer.probability)}** · runner-up "
            f"{name(answer.runner_up)} at {tables.percent(answer.runner_up_probability)}"
        )
        if len(answer.prediction_set) > 1:
            others = ", ".join(name(label) for label in answer.prediction_set[1:])
            level = model.card.calibration["conformal_level"]
            st.info(
                f"The network cannot exclude {others}. For {100 * level:.0f} % of micrographs like "
                "those it learnt from, the true class is among the ones it keeps.",
                icon=":material/help:",
            )
        show.chart(
            figures.probabilities(answer, model.card.display_names, dark=show.is_dark()),
            "classify_probabilities",
            "Probability of every class",
        )
        honest = "calibrated on held-out micrographs" if answer.calibrated else "not calibrated"
        st.caption(
            f"Model {show.plain(model.name)} on {model.device.upper()}, {honest}. It knows these "
            f"{len(answer.ranking)} classes only: whatever you show it gets one of them."
        )
        st.page_link("pages/2_Explain.py", label="See where", icon=":material/visibility:")

    loaded = workspace.every()
    if len(loaded) > 1 and st.toggle(
        f"Classify all {len(loaded)} loaded micrographs", key="classify_all"
    ):
        answers = [cache.classification(each, model_name, exclude) for each in loaded]
        table = tables.classifications(loaded, answers, model.card)
        show.table(table, "classify_table")
        show.download("Table (CSV)", csv_bytes(table), "classes.csv", "text/csv", "classify_csv")
