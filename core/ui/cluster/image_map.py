"""The loaded set as points: who lies near whom, typical members, neighbours, near-duplicates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.imaging.display import thumbnail
from core.measuring.embedding import Grouping, near_duplicates, nearest, similarities, standardise
from core.micrograph import Micrograph, digest_pixels
from core.reporting import figures
from core.reporting.batch import ALIKE, csv_bytes, describe, find_part
from core.ui import cache
from core.ui.cluster import image_hover
from core.ui.parts import say, show, tables
from core.ui.shell import workspace

TEXTURE = ""  # stands for no network among the names of models
_METHODS = {"pca": "PCA", "tsne": "t-SNE"}
_NEIGHBOURS = 5
_MOST_GROUPS = 12
_MOST_PAIRS = 20
Rows = NDArray[np.float64]


def draw(prefix: str = "cluster", *, exclude: bool = True) -> None:
    """Draw the map of all loaded micrographs with everything that belongs to it."""
    every = workspace.every()
    if len(every) == 1:
        st.info(
            "One micrograph makes a single point. Load more on Home to see which are alike.",
            icon=":material/scatter_plot:",
        )
    described, method, colour, k = _controls(prefix, len(every))
    rows = _rows(every, described, exclude)
    settings = digest_pixels(rows)
    groups = cache.image_groups(settings, k, rows)
    kinds = _kinds(every, colour, groups, described, exclude)
    names = list(workspace.short_names(every).values())
    chosen = _chosen(prefix, names)
    if len(every) in (2, 3):
        say.caption(
            "{every} micrographs: distances are exact, groups mean little.", every=len(every)
        )
    plot, beside = st.columns([3, 2], gap="medium")
    with plot:
        found = cache.projection(settings, method, rows)
        _chart(figures.image_map(found, names, kinds, chosen, dark=show.is_dark()), prefix)
        image_hover.attach(f"{prefix}_image_map", names, [cache.card_jpeg(m) for m in every])
        if method == "tsne" and found.method == "pca":
            st.caption(
                "Fewer than five different micrographs: PCA is shown, there is nothing to unfold."
            )
        points = pd.DataFrame(
            {"micrograph": names, "x": found.points[:, 0], "y": found.points[:, 1]}
        )
        points["group"], points["kind"] = groups.labels + 1, kinds
        show.download(
            "Points (CSV)", csv_bytes(points), "image_map.csv", "text/csv", f"{prefix}_map_csv"
        )
    with beside:
        _neighbours(every, names, rows, chosen, prefix)
    _typical(every, names, groups)
    _duplicates(every, names, rows, described)


def _controls(prefix: str, count: int) -> tuple[str, str, str, int]:
    """Draw the choices: what describes an image, which map, which colours, how many groups."""
    models = cache.model_names()
    colours = [*(["class"] if models else []), "group", "sample"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        described = st.selectbox(
            "Micrographs described by",
            [*models, TEXTURE],
            format_func=lambda name: f"network {name}" if name else "texture (no network)",
            key=f"{prefix}_map_described",
            persist_state="session",
            help="A network compares what it has learned to see; texture compares grey levels, "
            "co-occurrence and spatial frequencies.",
        )
        method = st.segmented_control(
            "Map",
            _METHODS,
            default="pca",
            required=True,
            format_func=_METHODS.__getitem__,
            key=f"{prefix}_map_method",
            persist_state="session",
        )
        colour = st.segmented_control(
            "Colour by",
            colours if described else colours[-2:],
            default="group",
            required=True,
            key=f"{prefix}_map_colour",
            persist_state="session",
            help="Class: the network's answer. Group: k-means over the micrographs. Sample: "
            "the first part of the file's name.",
        )
        k = 1
        if count > 2:
            k = st.number_input(
                "Groups",
                1,
                min(_MOST_GROUPS, count),
                min(3, count),
                key=f"{prefix}_map_groups",
                persist_state="session",
            )
    return described, method or "pca", colour or "group", int(k)


def _rows(every: list[Micrograph], described: str, exclude: bool) -> Rows:
    """Return one row of numbers per image; shows how far it is where many are new."""
    rows: list[NDArray[Any]] = []
    place = st.empty()
    for done, micrograph in enumerate(every):
        if described:
            rows.append(cache.embedding(micrograph, described, exclude))
        else:
            rows.append(cache.texture_row(micrograph, exclude))
        if len(every) > 8:
            place.progress(
                (done + 1) / len(every), f"{done + 1} of {len(every)} micrographs described"
            )
    place.empty()
    stacked = np.stack(rows).astype(np.float64)
    return stacked if described else standardise(stacked)


def _kinds(
    every: list[Micrograph], colour: str, groups: Grouping, described: str, exclude: bool
) -> list[str]:
    """Return what each point's colour stands for."""
    if colour == "class" and described:
        name = cache.model(described).card.display_name
        return [name(cache.classification(m, described, exclude).label) for m in every]
    if colour == "sample":
        return [find_part("name:1", m, m.name) or m.name for m in every]
    return [f"group {label + 1}" for label in groups.labels]


def _chosen(prefix: str, names: list[str]) -> int:
    """Return the image whose neighbours are shown: clicked in the chart, or chosen by name."""
    key = f"{prefix}_map_image"
    clicked = (st.session_state.get(f"{prefix}_image_map") or {}).get("selection", {})
    points = [p for p in clicked.get("points", []) if p.get("customdata")]
    last = points[0]["customdata"][0] if points else None
    if last is not None and st.session_state.get(f"{key}_clicked") != last < len(names):
        st.session_state[key] = names[int(last)]
    st.session_state[f"{key}_clicked"] = last
    if st.session_state.get(key) not in names:
        current = workspace.current()
        labels = workspace.short_names(workspace.every())
        st.session_state[key] = labels[current.sha256] if current else names[0]
    return names.index(st.session_state[key])


def _chart(figure: Any, prefix: str) -> None:
    alt = "One point per loaded micrograph; alike ones lie close together"
    with show.saved_chart(f"{prefix}_image_map", alt):
        st.plotly_chart(
            figure,
            height=figure.layout.height,
            theme=None,
            config={"displayModeBar": False, "responsive": True},
            key=f"{prefix}_image_map",
            on_select="rerun",
            selection_mode="points",
            alt=alt,
        )


def _neighbours(
    every: list[Micrograph], names: list[str], rows: Rows, chosen: int, prefix: str
) -> None:
    """Draw the chosen image and those most like it."""
    st.selectbox(
        "Micrograph (or click a point)", names, key=f"{prefix}_map_image", persist_state="session"
    )
    st.image(cache.card_jpeg(every[chosen]), width=160, alt=names[chosen])
    found = nearest(rows, chosen, _NEIGHBOURS)
    if found.empty:
        return
    st.markdown("**Most similar**")
    table = pd.DataFrame(
        {
            "picture": [
                tables.data_url(cache.card_jpeg(every[i]), "image/jpeg") for i in found["image"]
            ],
            "similarity": found["similarity"],
            "micrograph": [names[i] for i in found["image"]],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        row_height=56,
        column_config={
            "picture": st.column_config.ImageColumn("", width=72),
            "similarity": st.column_config.NumberColumn(format="%.3f", width=90),
        },
        key=f"{prefix}_map_neighbours",
    )
    st.caption("Cosine similarity: 1 is the same direction, 0 nothing in common.")


def _typical(every: list[Micrograph], names: list[str], groups: Grouping) -> None:
    """Draw the most typical member of each group."""
    if len(every) < 2:
        return
    st.markdown("**Typical of each group**")
    sizes = np.bincount(groups.labels)
    with st.container(horizontal=True):
        for group, medoid in enumerate(groups.medoids):
            noun = "micrograph" if sizes[group] == 1 else "micrographs"
            with st.container(width=176, gap="xxsmall"):
                st.image(cache.card_jpeg(every[medoid]), width=160, alt=names[medoid])
                say.caption(
                    "group {group}, {sizes} {noun}: {names}",
                    group=group + 1,
                    sizes=sizes[group],
                    noun=noun,
                    names=names[medoid],
                )


def _duplicates(every: list[Micrograph], names: list[str], rows: Rows, described: str) -> None:
    """Name pairs that show the same field."""
    pairs = find_duplicates(every, rows, described)
    if not pairs:
        if len(every) > 1:
            st.caption("No near-duplicates: no two of these micrographs show the same field.")
        return
    lines = [
        say.line(
            "- {first} and {second} ({reason})",
            first=names[first],
            second=names[second],
            reason=reason,
        )
        for first, second, reason in pairs[:_MOST_PAIRS]
    ]
    if len(pairs) > _MOST_PAIRS:
        lines.append(say.line("- and {more} more pairs", more=len(pairs) - _MOST_PAIRS))
    say.warning(
        "Near-duplicates: look before you count both as fields of their own.\n{pairs}",
        pairs=say.joined(lines, "\n"),
        icon=":material/content_copy:",
    )


def find_duplicates(
    every: list[Micrograph], rows: Rows, described: str
) -> list[tuple[int, int, str]]:
    """Return pairs that show the same field: by their pictures, or by the network.

    Parameters
    ----------
    every : list of N Micrograph
    rows : ndarray of shape (N, C)
    described : str
        The network that the rows come from; "" for texture, whose similarity is no evidence.

    Returns
    -------
    list of (first, second, reason)
    """
    small = np.stack([describe(thumbnail(m, 256)) for m in every])
    alike = similarities(small) >= ALIKE
    found = {
        (int(a), int(b)): "the same picture but for contrast, size or compression"
        for a, b in zip(*np.nonzero(np.triu(alike, 1)), strict=True)
    }
    if described:
        near = near_duplicates(rows)
        pairs = near[["first", "second"]].to_numpy(np.int64).tolist()
        for (a, b), value in zip(pairs, near["similarity"], strict=True):
            found.setdefault((a, b), f"the network hardly tells them apart, {value:.4f}")
    return [(*pair, reason) for pair, reason in sorted(found.items())]
