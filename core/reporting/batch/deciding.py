"""What a recipe leaves to the pictures, decided once per sample before a batch begins.

A few frames of each sample are looked at: how much noise they have, and which cluster stands out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.imaging.overlays import find_overlays
from core.reporting.batch.others import Others
from core.reporting.batch.rows.naming import find_sample
from core.reporting.batch.sources import Source
from core.reporting.decisions import find_decision
from core.reporting.recipe import Recipe
from core.reporting.settling import Frame, decide_sample, open_frame

MOST_FRAMES = 8  # of a sample, evenly spread over it
log = logging.getLogger(__name__)


def decide(recipe: Recipe, sources: Sequence[Source], others: Others | None = None) -> Recipe:
    """Return the recipe with a decision for every sample that lacks one.

    Parameters
    ----------
    recipe : Recipe
        What it states is kept; where it leaves nothing open it comes back as it is.
    sources : sequence of Source
        Those that cannot be read are passed over.
    others : mapping of str to Micrograph, optional
        What filters need besides.
    """
    if not recipe.leaves_open:
        return recipe
    samples: dict[str, list[Source]] = {}
    for source in sources:
        samples.setdefault(_sample(source, recipe), []).append(source)
    found = list(recipe.decided)
    for sample, members in samples.items():
        if find_decision(found, sample) is None:
            read = (_open(source, recipe, others) for source in _spread(members))
            frames = [frame for frame in read if frame is not None]
            found.append(decide_sample(recipe, frames, sample))
    return replace(recipe, decided=tuple(found))


def _sample(source: Source, recipe: Recipe) -> str:
    """Return the sample of a file; only what metadata name is read for it."""
    try:
        one = source.read() if recipe.sample_from.startswith("metadata") else None
        return find_sample(recipe, one, source.path)
    except Exception:
        return ""


def _open(source: Source, recipe: Recipe, others: Others | None) -> Frame | None:
    try:
        one = source.read()
        exclude = find_overlays(one) if recipe.exclude_overlays else None
        return open_frame(one, exclude, recipe, others)
    except Exception as error:  # the batch meets it again, and its row says why
        log.info("%s decides nothing: %s", source.name, type(error).__name__)
        return None


def _spread(members: Sequence[Source]) -> list[Source]:
    """Return at most a few of the files, evenly spread over all."""
    count = min(MOST_FRAMES, len(members))
    places = np.linspace(0, len(members) - 1, count).round().astype(int)
    return [members[place] for place in places]
