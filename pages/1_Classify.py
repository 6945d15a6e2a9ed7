"""Name the morphology of a micrograph, with the network's doubts."""

import streamlit as st

from core.reporting import figures
from core.reporting.export import csv_bytes
from core.ui import cache, page, tables, workspace

page.setup("Classify")
micrograph = page.require_micrograph()

with st.sidebar:
    model_name = page.model_picker()
    exclude = page.exclude_overlays()
page.settings()

with page.user_errors():
    model = cache.model(model_name)
    answer = cache.classification(micrograph, model_name, exclude)
    name = model.card.display_name

    picture, result = st.columns([3, 2], gap="large")
    with picture:
        page.show_micrograph(micrograph)
    with result:
        page.simulated_badge(micrograph)
        st.metric("Most probable class", name(answer.label))
        st.markdown(
            f"Probability **{answer.probability:.1%}** · runner-up "
            f"{name(answer.runner_up)} at {answer.runner_up_probability:.1%}"
        )
        if len(answer.prediction_set) > 1:
            others = ", ".join(name(label) for label in answer.prediction_set[1:])
            st.info(f"The network cannot exclude {others}.", icon=":material/help:")
        st.plotly_chart(
            figures.probabilities(answer, model.card.display_names, dark=page.is_dark()),
            theme=None,
            config=page.PLOT_TOOLS,
            key="classify_probabilities",
            alt="Probability of every class",
        )
        st.caption(f"Model {page.plain(model.name)} on {model.device.upper()}")

loaded = workspace.every()
with page.user_errors():
    if len(loaded) > 1 and st.toggle(
        f"Classify all {len(loaded)} loaded micrographs", key="classify_all"
    ):
        answers = [cache.classification(each, model_name, exclude) for each in loaded]
        table = tables.classifications(loaded, answers, model.card)
        st.dataframe(table, hide_index=True, column_config=page.percent_columns(table))
        page.download("Table (CSV)", csv_bytes(table), "classes.csv", "text/csv", "classify_csv")
