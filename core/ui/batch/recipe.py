"""The recipe of a batch: what was set on the other pages, or a file; and what it says in words."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import UserError
from core.measuring.clustering import GREY, MIXTURE
from core.reporting.recipe import PICTURES, Recipe
from core.reporting.report import wording
from core.ui import cache
from core.ui.classify import answer
from core.ui.cluster import settings
from core.ui.parts import follow, show, tables
from core.ui.shell import (
    TASKS,
    exclude_overlays,
    filter_chain,
    model_choice,
    smallest_region_px,
    target_cluster,
)

CURRENT, FROM_FILE = "My settings", "A file"
PARTS = {
    "": "not stated",
    "folder": "folder",
    "folder:2": "folder above that",
    "name:1": "first part of the file name",
    "name:2": "second part of the file name",
    "name:-1": "last part of the file name",
}
CLUSTERINGS = {GREY: "grey level", "features": "features", "mixture": "features (mixture)"}
_PICTURE_TITLES = {"overlays": "heat maps (PNG)", "masks": "masks (PNG)", "maps": "heat maps (NPY)"}


def choose(pick_model: Callable[[], str]) -> Recipe | None:
    """Draw the settings in the sidebar and return the recipe; None while a file is missing."""
    origin = st.segmented_control(
        "Recipe",
        (CURRENT, FROM_FILE),
        default=CURRENT,
        required=True,
        key="batch_recipe_origin",
        persist_state="session",
    )
    if origin == FROM_FILE:
        file = st.file_uploader("recipe.json", "json", key="batch_recipe_file", max_upload_size=1)
        return None if file is None else _from_file(file.getvalue())
    return _from_settings(pick_model())


def _from_file(data: bytes) -> Recipe:
    """Return a recipe that asks for a model of this person: a name could be a path, or another's.

    Raises
    ------
    UserError
        If it is no recipe, or asks for a model that is not on the list.
    """
    recipe = Recipe.from_json(data)
    names = model_choice.choices()
    if recipe.model not in names:
        raise UserError(
            f"The recipe asks for the model {recipe.model[:60]!r}, which is not here. Add it, or "
            f"change “model” in the recipe to one of: {', '.join(names) or 'none'}."
        )
    return recipe


def _from_settings(model: str) -> Recipe:
    titles = cache.method_titles()
    follow("batch_method", st.session_state.get("explain_method", next(iter(titles))))
    method = st.selectbox(
        "Explanation",
        titles,
        format_func=titles.__getitem__,
        key="batch_method",
        persist_state="session",
    )
    grouping = settings.last()
    clustering = _clustering(grouping)
    follow("batch_k", st.session_state.get(settings.K_KEY, 3))
    k = st.slider("Clusters", 2, settings.MOST_CLUSTERS, key="batch_k", persist_state="session")
    target = target_cluster(k, "batch_target")
    steps = filter_chain.steps()
    filtered = bool(steps) and st.toggle(
        f"Apply the chain of {len(steps)} from Filters",
        key="batch_filters",
        persist_state="session",
    )
    smallest_px = smallest_region_px()
    border = st.toggle(
        "Leave out regions cut by the frame",
        key="batch_drop_border",
        persist_state="session",
        help="They are larger than what shows of them. They count as area either way.",
    )
    exclude = exclude_overlays()
    sample, label, pictures = _names_and_pictures()
    return Recipe(
        model,
        method,
        k,
        target,
        steps if filtered else (),
        exclude,
        smallest_px,
        conformal_level=answer.level_for(model),
        clustering=clustering,
        features=grouping.features,
        cluster_seed=grouping.seed,
        smoothing=grouping.smoothing,
        drop_border_regions=border,
        sample_from=sample,
        label_from=label,
        pictures=pictures,
    )


def _names_and_pictures() -> tuple[str, str, tuple[str, ...]]:
    """Draw what names sample and true class, and which pictures are kept."""
    with st.expander("Samples, labels, pictures", icon=":material/sell:"):
        sample = _part("Sample named by", "batch_sample_from")
        label = _part("True class named by", "batch_label_from")
        pictures = st.pills(
            "Pictures to keep",
            PICTURES,
            selection_mode="multi",
            default=("overlays", "masks"),
            format_func=_PICTURE_TITLES.__getitem__,
            key="batch_pictures",
            persist_state="session",
        )
    return sample, label, tuple(name for name in PICTURES if name in pictures)


def _clustering(there: cache.ClusterChoice) -> str:
    """Draw how pixels are grouped; it begins with what was chosen on the Cluster page."""
    by_features = "mixture" if there.method == MIXTURE else "features"
    follow("batch_clustering", by_features if there.mode == cache.FEATURES else GREY)
    value: str = st.selectbox(
        "Clusters by",
        CLUSTERINGS,
        format_func=CLUSTERINGS.__getitem__,
        key="batch_clustering",
        persist_state="session",
        help="Features, seed and smoothing are those of the Cluster page.",
    )
    return value


def _part(label: str, key: str) -> str:
    chosen: str = st.selectbox(
        label,
        PARTS,
        format_func=PARTS.__getitem__,
        key=key,
        persist_state="session",
        help="Parts of a file name are divided by spaces, dots, - and _.",
    )
    return chosen


def summary(recipe: Recipe) -> None:
    """Say what the recipe does, each line with the page where it is set; offer it as a file."""
    titles = cache.method_titles()
    filters = " → ".join(step.spec.title for step in recipe.filters) or "none"
    overlays = "left out" if recipe.exclude_overlays else "taken for specimen"
    border = ", none cut by the frame" if recipe.drop_border_regions else ""
    level = recipe.conformal_level
    sets = f"prediction sets at {100 * level:.0f} %; " if level else ""
    lines = (
        ("Model", f"{recipe.model}; {sets}info bar and letters {overlays}", "pages/1_Classify.py"),
        ("Explanation", titles.get(recipe.method, recipe.method), "pages/2_Explain.py"),
        ("Filters", filters, "pages/3_Filters.py"),
        (
            "Clusters",
            f"{recipe.clusters} {wording.clustering(recipe)}, target "
            f"{tables.cluster_title(recipe.target, recipe.clusters)}; regions from "
            f"{recipe.smallest_region_px} px{border}",
            "pages/4_Cluster.py",
        ),
    )
    with st.container(border=True, gap="xxsmall", key="batch_recipe_summary"):
        for name, words, where in lines:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{name}** {show.plain(words)}", width="stretch")
                st.page_link(where, label=f"Edit on {TASKS[where][0]}", width="content")
        if settings.last().region is not None:
            st.caption(
                "The region of interest on Cluster belongs to one micrograph and is not used here: "
                "a batch measures whole frames."
            )
        show.download(
            "Recipe (JSON)",
            recipe.to_json().encode(),
            "recipe.json",
            "application/json",
            "batch_recipe_json",
        )
