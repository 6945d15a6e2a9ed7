"""Show where in the frame the network finds evidence for a class."""

import streamlit as st

from core.ui import cache, compare, page, show, tables

page.setup("Explain")
micrograph = page.require_micrograph()

with page.user_errors():
    with st.sidebar:
        model_name = page.model_picker()
        exclude = page.exclude_overlays()
        model = cache.model(model_name)
        answer = cache.classification(micrograph, model_name, exclude)
        name = model.card.display_name
        certainty = {key: tables.percent(value) for key, value in answer.probabilities.items()}
        target = st.selectbox(
            "Evidence for the class",
            answer.ranking,
            format_func=lambda label: f"{name(label)} ({certainty[label]})",
            key=f"explain_target_{micrograph.sha256}",
            help="The most probable class comes first.",
        )
        titles = cache.method_titles()
        method = st.selectbox("Method", titles, format_func=titles.get, key="explain_method")
        opacity = st.slider("Opacity (%)", 0, 100, 60, 5, key="explain_opacity") / 100
        colormap = st.selectbox("Colours", cache.COLORMAPS, index=1, key="explain_colormap")
    page.settings()

    settings = (micrograph, model_name, method, target, exclude)
    found = cache.explanation(*settings)
    overlay = cache.heatmap_png(*settings, opacity, colormap)

    pictures, facts = st.columns([3, 1], gap="large")
    with pictures:
        compare.slider(
            cache.micrograph_png(micrograph),
            overlay,
            labels=("Original", titles[method]),
            key="explain_slider",
            alt=f"evidence for {name(target)} in {micrograph.name}",
            caption=show.caption(micrograph, exclude),
        )
    with facts:
        show.simulated_badge(micrograph)
        show.caution(micrograph, exclude)
        st.metric("Evidence for", name(target))
        st.caption(f"The network gives this class {certainty[target]}.")
        if target != answer.label:
            st.caption(f"Its own answer is {name(answer.label)} with {certainty[answer.label]}.")
        if found.has_evidence:
            legend = cache.heat_legend_png(opacity, colormap)
            st.image(legend, width="stretch", alt="From no evidence to the strongest in this frame")
            st.caption("no evidence → strongest in this frame (relative; other frames differ)")
        else:
            st.info(
                f"No part of this frame speaks for {name(target)}: the map is empty.",
                icon=":material/visibility_off:",
            )
        show.download(
            "Overlay (PNG)",
            lambda: cache.heatmap_png(*settings, opacity, colormap, full=True),
            f"{show.file_stem(micrograph)}_{method}_{target}.png",
            "image/png",
            "explain_png",
        )
        show.download(
            "Raw map (NPY)",
            cache.raw_map_npy(found),
            f"{show.file_stem(micrograph)}_{method}_{target}.npy",
            "application/octet-stream",
            "explain_npy",
        )
        st.caption(
            f"{titles[method]} at the layer “{found.layer}”, {found.raw.shape[1]} × "
            f"{found.raw.shape[0]} values over the whole frame; the raw map keeps their signs. "
            f"Model {show.plain(model.name)} on {model.device.upper()}."
        )
