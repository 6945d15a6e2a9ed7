"""The other micrographs that filters of a recipe need: a flat field, a histogram to match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.errors import UserError
from core.micrograph import Micrograph
from core.reporting.batch.sources import GivenSource, Source, list_sources
from core.reporting.recipe import Recipe

Others = Mapping[str, Micrograph]


def find_others(
    recipe: Recipe, given: Iterable[GivenSource], listed: Sequence[Source]
) -> dict[str, Micrograph]:
    """Return the micrographs that the filters name, each read once, by their names there.

    Parameters
    ----------
    recipe : Recipe
        Its steps name a micrograph by its digest.
    given : iterable of Path, (name, bytes) or Micrograph
        Looked through first; they are no part of the batch.
    listed : sequence of Source
        The micrographs of the batch. They are looked through one at a time, and not decoded.

    Raises
    ------
    UserError
        If one is not there, is not chosen, or cannot be read; it says for which filter.
    """
    wanted = _wanted(recipe)
    if not wanted:
        return {}
    more = list(given)
    sources = [*(list_sources(more) if more else ()), *listed]
    found: dict[str, Source] = {}
    for source in sources:
        if len(found) == len(wanted):
            break
        digest = source.digest()
        if digest in wanted:
            found.setdefault(digest, source)
    return {digest: _read(found.get(digest), digest, title) for digest, title in wanted.items()}


def _wanted(recipe: Recipe) -> dict[str, str]:
    """Return the digests that steps name, with the words for the first step that does."""
    wanted: dict[str, str] = {}
    for number, step in enumerate(recipe.filters, start=1):
        title = f"Step {number} of the filters, {step.spec.title},"
        for parameter in step.spec.parameters:
            if parameter.kind != "image":
                continue
            if not step.parameters[parameter.name]:
                raise UserError(
                    f"{title} needs another micrograph, and none is chosen. Choose one on the "
                    "Filters page, or remove the step."
                )
            wanted.setdefault(step.parameters[parameter.name], title)
    for digest in recipe.segmentation.digests:
        wanted.setdefault(digest, "The segmentation by strokes")
    return wanted


def _read(source: Source | None, digest: str, title: str) -> Micrograph:
    if source is None:
        raise UserError(
            f"{title} needs another micrograph, the one with the digest {digest[:12]}…, which is "
            "not in this batch. Add that file to it, name it with --with on the command line, or "
            "choose another one on the Filters page."
        )
    try:
        return source.read()
    except UserError as error:
        raise UserError(f"{title} needs {source.name}, which cannot be read: {error}") from error
