"""The network of a batch: loaded, checked against the recipe, and described for the report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.reporting.batch import export
from core.reporting.batch.analysis import check_choices
from core.reporting.batch.sources import Source
from core.reporting.recipe import Recipe

if TYPE_CHECKING:
    from core.learning.models import Classifier


def load(recipe: Recipe) -> Classifier:
    """Return the network that a recipe names, prepared as it says."""
    from core.learning.models import load_model

    stated = recipe.classes_per_frame
    several = None if stated is None else stated == "several"
    return load_model(recipe.model, prepare=recipe.prepare or "", several=several)


def check(recipe: Recipe, network: Classifier) -> None:
    """Refuse choices that do not exist before the work begins."""
    from core.learning.classifying import lowest_probability
    from core.learning.explaining import EVERY_METHOD, LAST_LAYER, fitting_methods

    if recipe.method not in EVERY_METHOD:
        raise UserError(
            f"There is no explanation method {recipe.method!r}. Choose one of "
            f"{', '.join(EVERY_METHOD)}."
        )
    if recipe.method not in (fitting := fitting_methods(network)):
        raise UserError(
            f"{EVERY_METHOD[recipe.method].title} does not fit the network {network.name}. State "
            f"as the recipe's method one of {', '.join(fitting)}."
        )
    classes = network.card.classes
    if recipe.explained_class is not None and recipe.explained_class not in classes:
        raise UserError(
            f"The model has no class {recipe.explained_class!r}. Choose one of "
            f"{', '.join(classes)}."
        )
    if recipe.model_sha256 and recipe.model_sha256 != network.card.sha256:
        raise UserError(
            f"The weights of {network.name} are not the ones that the recipe was made with (their "
            "SHA-256 differs). Install those, or remove model_sha256 from the recipe."
        )
    if recipe.layer not in (None, LAST_LAYER, *network.layers):
        raise UserError(
            f"The model has no layer {recipe.layer!r}. Choose one of {', '.join(network.layers)}."
        )
    lowest_probability(network, recipe.conformal_level)  # refuses what it cannot give
    check_choices(recipe)


def key_of(recipe: Recipe, model: Mapping[str, Any], listed: list[Source], grows: bool) -> str:
    """Return what must be equal for a batch to go on: all but the content of the files.

    Of one that grows, files and what was decided may be more; stamps tell which rows still hold.
    """
    names = [] if grows else [source.name for source in listed]
    stated = replace(recipe, decided=()) if grows else recipe
    parts = (stated.to_json(), model, export.list_versions(), names)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def describe(network: Classifier, recipe: Recipe) -> dict[str, Any]:
    """Return what tables, report and manifest tell of the network, as JSON holds it."""
    from core.learning.explaining import EVERY_METHOD

    card, method = network.card, EVERY_METHOD[recipe.method]
    return {
        "name": network.name,
        "sha256": card.sha256,
        "architecture": card.architecture,
        "classes": list(card.classes),
        "display_names": dict(card.display_names),
        "device": network.device,
        "sees_whole_frames": network.preparation.sees_whole_frames,
        "calibration": dict(card.calibration),
        "limits": list(card.limits),
        "metrics": _record(card.metrics),
        "explanation": {"title": method.title, "reference": method.reference},
    }


def _record(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the network's own record on held-out micrographs, as far as its card states one.

    That on whole frames where there is one: a batch shows whole frames to the network.
    """
    records = (metrics.get("whole_frames"), metrics.get("pictures"))
    scores = next((record for record in records if isinstance(record, dict)), metrics)
    wanted = ("pictures", "balanced_accuracy", "balanced_accuracy_interval_95")
    return {name: scores[name] for name in wanted if name in scores}
