"""The recipe of a batch: what was set on the other pages, or a file; and what it says in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from core.errors import UserError
from core.imaging.scale import words
from core.reporting import recipe_words, sizing
from core.reporting.recipe import Recipe
from core.reporting.segmenting import CLUSTERS as BY_CLUSTERS
from core.ui import cache
from core.ui.batch import scales
from core.ui.batch.settings import (
    BORDER,
    CLUSTERING,
    CLUSTERS,
    FILTERS,
    LABEL,
    METHOD,
    PICTURES,
    SCALE,
    SETTINGS,
    TARGETS,
    TWINS,
)
from core.ui.parts import AUTOMATIC, gather, measuring, say, show, tables
from core.ui.shell import (
    EXCLUDE,
    SMALLEST,
    SMALLEST_NM,
    TASKS,
    filter_chain,
    grouping,
    model_choice,
    region,
    segmenting,
    smallest_by,
    workspace,
)

CURRENT, OBJECTS, FROM_FILE = "As set", "Segment’s", "A file"
_DEFAULTS = Recipe()
_ORIGIN = "batch_recipe_origin"


def choose(pick_model: Callable[[], str], said: Callable[[], Mapping[str, Any]]) -> Recipe | None:
    """Draw the settings in the sidebar and return the recipe; None while a file is missing.

    Parameters
    ----------
    pick_model : callable
        Draws the choice of the model and returns its name.
    said : callable
        Returns the fields of a recipe as the other pages' settings say them.
    """
    origin = st.segmented_control(
        "Recipe",
        (CURRENT, *([OBJECTS] if segmenting.recipe() else []), FROM_FILE),
        default=CURRENT,
        required=True,
        key=_ORIGIN,
        persist_state="session",
    )
    if origin == FROM_FILE:
        file = st.file_uploader("recipe.json", "json", key="batch_recipe_file", max_upload_size=1)
        return None if file is None else _from_file(file.getvalue())
    found = segmenting.recipe() if origin == OBJECTS else None
    if found is not None:
        return _from_segment(found, pick_model(), said())
    return _from_settings(pick_model(), said())


def offer_objects() -> None:
    """Say that what Segment shows is left out of the recipe as set, with a click to take it."""
    if st.session_state.get(_ORIGIN) != CURRENT or segmenting.recipe() is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Segment’s objects and changes by hand are not part of this recipe.")
        st.button(
            "Use Segment’s",
            key="batch_use_segment",
            type="tertiary",
            icon=":material/edit:",
            on_click=lambda: st.session_state.update({_ORIGIN: OBJECTS}),
        )


def is_from_file() -> bool:
    """Tell whether the recipe is a file's and not what the pages say."""
    return st.session_state.get(_ORIGIN) == FROM_FILE


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


def _from_settings(model: str, said: Mapping[str, Any]) -> Recipe:
    """Draw the batch's own settings, which begin with what was said on the other pages."""
    for setting in (METHOD, CLUSTERING, CLUSTERS, BORDER):
        setting.begin_with(said[setting.recipe])
    with st.expander("Explanation, clusters", icon=":material/bubble_chart:"):
        METHOD.draw()
        CLUSTERING.draw()
        target = TARGETS[CLUSTERS.draw()].draw()
    _draw_regions()
    _draw_scale_and_labels()
    steps = filter_chain.steps()
    filtered = bool(steps) and FILTERS.draw(f"Apply the chain of {len(steps)} from Filters")
    EXCLUDE.draw()
    own = gather((EXCLUDE, SMALLEST, SMALLEST_NM, *SETTINGS))
    stated = {name: _whole(name, value) for name, value in {**said, **own}.items()}
    stated |= {"model": model, "filters": steps if filtered else ()}
    stated |= {
        "target_cluster": None if target == AUTOMATIC else target,
        "smallest_region_by": smallest_by(),
    }
    stated |= _of_samples()
    return Recipe(**{**stated, "conformal_level": _level(model, said.get("conformal_level"))})


def _from_segment(found: Recipe, model: str, said: Mapping[str, Any]) -> Recipe:
    """Return what finds Segment's objects in all micrographs, and draw what a batch adds to it."""
    METHOD.begin_with(said[METHOD.recipe])
    METHOD.draw()
    with st.expander("Measures", icon=":material/tune:"):
        measuring.SIZES_BY.draw()
        measuring.MEASURES.draw()
    _draw_scale_and_labels()
    own = gather((METHOD, SCALE, LABEL, PICTURES, measuring.SIZES_BY, measuring.MEASURES))
    rule = grouping.SAMPLE.value()
    return replace(
        found,
        **{**{name: _whole(name, value) for name, value in own.items()}, **_of_samples()},
        model=model,
        sample_from=rule or "",
        conformal_level=_level(model, said.get("conformal_level")),
    )


def _of_samples() -> dict[str, Any]:
    """Return what is stated by hand of samples: who belongs to which, and pixel sizes."""
    stated: dict[str, Any] = {"samples": grouping.pairs(), "pixel_sizes": scales.pairs()}
    if scales.of_all():
        stated["pixel_size_from"] = scales.of_all()
    return stated


def _draw_scale_and_labels() -> None:
    with st.expander("Pixel size, labels, pictures", icon=":material/sell:"):
        _scale()
        LABEL.draw()
        PICTURES.draw()


def _draw_regions() -> None:
    """Draw smoothing, what makes a region and what is measured: the settings of Cluster as well.

    What they say was gathered before, as that of all pages.
    """
    with st.expander("Smoothing, regions, measures", icon=":material/tune:"):
        measuring.draw_smoothing()
        for setting in (
            SMALLEST,
            SMALLEST_NM,
            measuring.SPLIT,
            measuring.NECK,
            measuring.FILL,
            measuring.CORNERS,
            BORDER,
        ):
            setting.draw()
        measuring.draw_limits((measuring.LARGEST, measuring.LARGEST_NM))
        measuring.SIZES_BY.draw()
        measuring.MEASURES.draw()
        TWINS.draw()


def _scale() -> None:
    """Draw where pixel sizes are from, and say it where that leaves out what was read on Home."""
    chosen = SCALE.draw()
    read = sum(words.is_read_from_picture(each) for each in workspace.every())
    if read and chosen == SCALE.default:
        say.caption(
            "{read} of what is loaded has its pixel size from the picture: that size is not used.",
            read=read,
        )


def _whole(name: str, value: Any) -> Any:
    """Return a field of the recipe; a dict says parts of it, the others keep their defaults."""
    if name == "region_limits":
        return measuring.limits_of(value)
    return replace(getattr(_DEFAULTS, name), **value) if isinstance(value, dict) else value


def _level(model_name: str, chosen: float | None) -> float | None:
    """Return the level of the prediction sets; None where it is that of the model's card.

    It loads no network: who has chosen a level has loaded one.
    """
    if chosen is None:
        return None
    from core.learning.classifying import offers_levels

    model = cache.model(model_name)
    own = model.card.calibration.get("conformal_level")
    return chosen if offers_levels(model) and chosen != own else None


def _target(recipe: Recipe) -> str:
    if recipe.target_cluster is None:
        return "what stands out, once per sample"
    return tables.cluster_title(recipe.target, recipe.clusters)


def _found_by(recipe: Recipe) -> tuple[str, str, str]:
    """Return name, words and page of how the target is found, and what counts as a region."""
    border = ", none that is cut" if recipe.drop_border_regions else ""
    usual = recipe.connectivity == 8 and not recipe.fill_holes and not recipe.split_regions
    rules = "" if usual else f"; {recipe_words.region_rules(recipe)}"  # only what differs is said
    regions = f"regions from {recipe_words.smallest_region(recipe)}{border}{rules}"
    by = recipe.segmentation
    if by.way == BY_CLUSTERS:
        words = f"{recipe.clusters} {recipe_words.clustering(recipe)}, target: {_target(recipe)}"
        return "Clusters", f"{words}; {regions}", "pages/4_Cluster.py"
    noun = "micrograph" if len(by.edits) == 1 else "micrographs"
    hand = f"; changed by hand on {len(by.edits)} {noun}" if by.edits else ""
    words = f"{by.describe()} Target: {by.names[recipe.target]}; {regions}{hand}"
    return "Objects", words, segmenting.PAGE


def summary(recipe: Recipe, *, folded: bool = False) -> None:
    """Say what the recipe does, each line with the page where it is set; offer it as a file.

    `folded` leaves the room to what came of it.
    """
    if folded:
        with st.expander("Recipe", icon=":material/receipt_long:"):
            _summary(recipe)
    else:
        with st.container(border=True, gap="xxsmall", key="batch_recipe_summary"):
            _summary(recipe)


def _summary(recipe: Recipe) -> None:
    titles = cache.method_titles()
    model = model_choice.choices().get(recipe.model, recipe.model)
    filters = " → ".join(step.spec.title for step in recipe.filters) or "none"
    overlays = "left out" if recipe.exclude_overlays else "taken for specimen"
    level = recipe.conformal_level
    sets = f"prediction sets at {100 * level:.0f} %; " if level else ""
    lines = (
        ("Model", f"{model}; {sets}info bar and letters {overlays}", "pages/1_Classify.py"),
        ("Explanation", titles.get(recipe.method, recipe.method), "pages/2_Explain.py"),
        ("Filters", filters, "pages/3_Filters.py"),
        _found_by(recipe),
        ("Pixel sizes", sizing.describe_briefly(recipe), ""),
    )
    for name, said, where in lines:
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
            say.markdown("**{name}** {said}", name=name, said=said, width="stretch")
            if where:
                st.page_link(
                    where,
                    label="Edit",
                    icon=":material/edit:",
                    help=say.line("Set on {task}", task=TASKS[where][0]),
                    width="content",
                )
    if region.is_held():
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
