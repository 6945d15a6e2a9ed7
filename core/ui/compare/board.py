"""The loaded set as a map: who lies near whom, typical members, neighbours, near-duplicates."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.imaging.display import thumbnail
from core.measuring.embedding import Grouping, near_duplicates, nearest, similarities, standardise
from core.micrograph import Micrograph, digest_pixels
from core.reporting import figures
from core.reporting.batch import ALIKE, csv_bytes, describe
from core.ui import cache
from core.ui.compare import cloud, naming
from core.ui.compare.naming import Classes
from core.ui.parts import say, show, tables
from core.ui.shell import grouping, workspace

TEXTURE = ""  # stands for no network among the names of models
_METHODS = {"pca": "PCA", "tsne": "t-SNE"}
_COLOURS = {"group": "Group", "sample": "Sample", "answer": "Answer", "class": "Class"}
_NEIGHBOURS = 5
_MOST_GROUPS = 12
_MOST_PAIRS = 20
_DOUBLES, _DOUBLES_PX = 3, 230  # pairs that are shown without scrolling
_PAIR_PX = 56
_MOST_BLANK = 2  # called by their names
Rows = NDArray[np.float64]


def draw(prefix: str = "compare", *, exclude: bool = True, classes: Classes | None = None) -> None:
    """Draw the map of all loaded micrographs with everything that belongs to it.

    Parameters
    ----------
    prefix : str
        Of the keys of this page's widgets.
    exclude : bool
        Whether what is not specimen is left out.
    classes : Classes or None
        Where classes are given to what is chosen; without, nothing is named here.
    """
    every = workspace.every()
    if len(every) == 1:
        st.info(
            "One micrograph is like no other: a map needs at least two. Load more on Home to see "
            "which are alike.",
            icon=":material/scatter_plot:",
        )
        return
    described, method, colour, k = _controls(prefix, len(every), classes)
    rows = _rows(every, described, exclude)
    groups = cache.image_groups(digest_pixels(rows), k, rows)
    kinds = _kinds(every, colour, groups, described, exclude, classes)
    names = list(workspace.short_names(every).values())
    blank = {place for place, each in enumerate(every) if cache.is_blank(each, exclude)}
    _caution([names[place] for place in sorted(blank)])
    key = f"{prefix}_map"
    chosen = cloud.picked(key, every)
    plot, beside = show.beside(2)
    with plot:
        _map(key, every, names, kinds, groups, rows, method)
    with beside:
        if classes is not None:
            naming.draw(key, chosen, classes)
        _duplicates(every, names, find_duplicates(every, rows, described, blank))
        _neighbours(every, names, rows, _place(prefix, names, chosen), prefix)
    _typical(every, names, groups)


def _caution(blank: list[str]) -> None:
    """Name the micrographs that show nothing: anything may lie beside them."""
    if blank:
        say.warning(
            "All pixels of {blank}{more} have the same grey level: where the map shows that, and "
            "what is like it, means nothing.",
            blank=" and ".join(blank[:_MOST_BLANK]),
            more=f" and {len(blank) - _MOST_BLANK} more" if len(blank) > _MOST_BLANK else "",
            icon=":material/warning:",
        )


def _map(
    key: str,
    every: list[Micrograph],
    names: list[str],
    kinds: list[str],
    groups: Grouping,
    rows: Rows,
    method: str,
) -> None:
    """Draw the plane, what is to be said of it, its points as a file, and as a chart to save."""
    found = cache.projection(digest_pixels(rows), method, rows)
    cloud.draw(key, every, names, kinds, found)
    if len(every) in (2, 3):
        say.caption(
            "{every} micrographs: distances are exact, groups mean little.", every=len(every)
        )
    if method == "tsne" and found.method == "pca":
        st.caption(
            "Fewer than five different micrographs: PCA is shown, there is nothing to unfold."
        )
    points = pd.DataFrame({"micrograph": names, "x": found.points[:, 0], "y": found.points[:, 1]})
    points["group"], points["kind"] = groups.labels + 1, kinds
    with st.container(horizontal=True, vertical_alignment="center"):
        show.download("Points (CSV)", csv_bytes(points), "image_map.csv", "text/csv", f"{key}_csv")
        as_chart = st.toggle("As a chart to save", key=f"{key}_chart_wanted")
    if as_chart:
        show.chart(
            figures.image_map(found, names, kinds, dark=show.is_dark()),
            f"{key}_figure",
            "One point per loaded micrograph; alike ones lie close together",
        )


def _controls(prefix: str, count: int, classes: Classes | None) -> tuple[str, str, str, int]:
    """Draw the choices: what describes an image, which map, which colours, how many groups."""
    models = cache.model_names()
    key = f"{prefix}_map_colour"
    if wanted := st.session_state.pop(f"{key}_next", ""):  # what was named last is shown
        st.session_state[key] = wanted
    before = st.session_state.get(f"{prefix}_map_described", next(iter(models), TEXTURE))
    offered = _colours(before, classes)
    if st.session_state.get(key) not in offered:
        st.session_state.pop(key, None)
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
            _colours(described, classes),
            default="group",
            required=True,
            format_func=_COLOURS.__getitem__,
            key=key,
            persist_state="session",
            help="Group: k-means over the micrographs. Sample: as named on Home or here. Answer: "
            "the network's. Class: the one that was given here or on Train.",
        )
        k = 1
        if count > 2:
            k = st.number_input(
                "Groups",
                1,
                min(_MOST_GROUPS, count),
                min(3, count),
                width=150,
                key=f"{prefix}_map_groups",
                persist_state="session",
            )
    return described, method or "pca", colour or "group", int(k)


def _colours(described: str, classes: Classes | None) -> list[str]:
    """Return what frames can be coloured by; a class that nobody gave is not offered."""
    given = classes is not None and any(classes.of(m.sha256) for m in workspace.every())
    answers = ["answer"] if described else []
    return ["group", "sample", *answers, *(["class"] if given else [])]


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
    every: list[Micrograph],
    colour: str,
    groups: Grouping,
    described: str,
    exclude: bool,
    classes: Classes | None,
) -> list[str]:
    """Return what each frame's colour stands for."""
    if colour == "answer" and described:
        name = cache.model(described).card.display_name
        return [name(cache.classification(m, described, exclude).label) for m in every]
    if colour == "sample":
        return [grouping.sample_of(m) or "no sample" for m in every]
    if colour == "class" and classes is not None:
        return [classes.of(m.sha256) or "no class" for m in every]
    return [f"group {label + 1}" for label in groups.labels]


def _place(prefix: str, names: list[str], chosen: list[Micrograph]) -> int:
    """Return the image whose neighbours are shown: the one clicked in the map, or the one named."""
    key, seen = f"{prefix}_map_image", f"{prefix}_map_image_clicked"
    labels = workspace.short_names(workspace.every())
    clicked = labels[chosen[0].sha256] if len(chosen) == 1 else ""
    if clicked and st.session_state.get(seen) != clicked:
        st.session_state[key] = clicked
    st.session_state[seen] = clicked
    if st.session_state.get(key) not in names:
        current = workspace.current()
        st.session_state[key] = labels[current.sha256] if current else names[0]
    return names.index(st.session_state[key])


def _neighbours(
    every: list[Micrograph], names: list[str], rows: Rows, chosen: int, prefix: str
) -> None:
    """Draw the chosen image and those most like it."""
    st.selectbox(
        "Micrograph (or click a picture)", names, key=f"{prefix}_map_image", persist_state="session"
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


def _duplicates(
    every: list[Micrograph], names: list[str], pairs: list[tuple[int, int, str]]
) -> None:
    """Show pairs that show the same field, side by side."""
    if not pairs:
        st.caption("No near-duplicates: no two of these micrographs show the same field.")
        return
    say.markdown("**Near-duplicates ({count})**", count=len(pairs))
    st.caption("Look before you count both as fields of their own.")
    with st.container(
        height=_DOUBLES_PX if len(pairs) > _DOUBLES else "content", border=False, gap="small"
    ):
        for first, second, reason in pairs[:_MOST_PAIRS]:
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                for each in (first, second):
                    st.image(cache.card_jpeg(every[each]), width=_PAIR_PX, alt=names[each])
                say.caption(
                    "{first} and {second}: {reason}",
                    first=names[first],
                    second=names[second],
                    reason=reason,
                )
        if len(pairs) > _MOST_PAIRS:
            say.caption("and {more} more pairs", more=len(pairs) - _MOST_PAIRS)


def find_duplicates(
    every: list[Micrograph], rows: Rows, described: str, blank: Set[int] = frozenset()
) -> list[tuple[int, int, str]]:
    """Return pairs that show the same field: by their pictures, or by the network.

    Parameters
    ----------
    every : list of N Micrograph
    rows : ndarray of shape (N, C)
    described : str
        The network that the rows come from; "" for texture, whose similarity is no evidence.
    blank : set of int
        Places of micrographs that show nothing, and so no field either.

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
    return [(*pair, why) for pair, why in sorted(found.items()) if blank.isdisjoint(pair)]
