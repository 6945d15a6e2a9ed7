"""What a report says of how wrong its numbers are: one line under each sample's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.reporting.batch import describe_twins
from core.reporting.escaping import escape

if TYPE_CHECKING:
    from core.reporting.batch import BatchResult
    from core.reporting.recipe import Recipe


def line(result: BatchResult, sample: str) -> str:
    """Return how wrong a sample's numbers are, as HTML; empty where that was not judged."""
    said = describe_twins(result.twins, sample)
    return f'<p class="note">{escape(said)}</p>' if said else ""


def methods(recipe: Recipe) -> str:
    """Return a sentence for the methods paragraph; empty where nothing was judged."""
    if not recipe.twins:
        return ""
    return (
        f" How wrong these numbers are was estimated on {recipe.twins} simulated look-alikes of a "
        "typical field of each sample, whose truth is known, measured in the same way; nothing was "
        "corrected. Look-alikes cannot show objects behind others, phases taken for another "
        "throughout, charging or a wrong pixel size; of 50 real micrographs with outlines drawn by "
        "people 11 were refused, and on the others limits, widened by how people outline, held "
        "the area in 31 of 39, the count in 26 of 31 and D50 in 26 of 30."
    )
