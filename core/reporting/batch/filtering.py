"""Filter files on the command line: the same recipe and the same pixels as on the Filters page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.imaging.display import file_stem, save_png_bytes, save_tiff_bytes, to_sixteen_bits
from core.imaging.filtering import Pipeline
from core.imaging.overlays import find_overlays
from core.micrograph import Micrograph
from core.reporting.batch.calibrating import calibrate
from core.reporting.batch.sources import GivenSource, Source, list_sources
from core.reporting.recipe import KIND, Recipe

FORMATS = ("tiff", "tiff16", "png")
_SUFFIX = {"tiff": "tif", "tiff16": "tif", "png": "png"}


@dataclass(frozen=True, slots=True)
class Filtered:
    """What became of one micrograph: the file written, or the sentence that says why not."""

    name: str
    path: Path | None
    error: str = ""


def read_recipe(text: str) -> Recipe:
    """Return the recipe that a text holds: a whole one, or the steps of a pipeline alone.

    Raises
    ------
    UserError
        If it is neither.
    """
    if f'"{KIND}"' in text or '"steps"' not in text:
        return Recipe.from_json(text)
    return Recipe(filters=Pipeline.from_json(text).steps)


def filter_files(
    given: Iterable[GivenSource],
    recipe: Recipe,
    out: Path,
    *,
    others: Iterable[GivenSource] = (),
    kind: str = "tiff",
    on_progress: Callable[[int, int, str], None] | None = None,
) -> list[Filtered]:
    """Apply the filters of a recipe to files and write one file for each.

    Parameters
    ----------
    given : iterable of Path, (name, bytes) or Micrograph
        As for a batch: files, folders, archives.
    recipe : Recipe
        Its filters, and whether overlays are left out of statistics.
    out : Path
        Folder for the results; made if need be. Existing files are replaced.
    others : iterable
        Files that steps name by digest: a flat field, an image whose histogram is matched.
    kind : str
        "tiff" keeps the result's depth, "tiff16" has 16 bits, "png" holds no pixel size.
    on_progress : callable, optional
        Called after each file as on_progress(done, total, name).

    Raises
    ------
    UserError
        If there is nothing to read, one of the others cannot be read, or `out` is no folder. What
        fails with one file stands in its `Filtered`.
    """
    known = {other.sha256: other for other in map(Source.read, _listed(others))}
    sources = list_sources(given)
    folder = _made(out)
    done = []
    for number, (source, stem) in enumerate(zip(sources, _stems(sources), strict=True), start=1):
        path = folder / f"{stem}_filtered.{_SUFFIX[kind]}"
        done.append(_one(source, recipe, known, path, kind))
        if on_progress is not None:
            on_progress(number, len(sources), source.name)
    return done


def _listed(others: Iterable[GivenSource]) -> list[Source]:
    listed = list(others)
    return list_sources(listed) if listed else []


def _one(
    source: Source, recipe: Recipe, others: dict[str, Micrograph], path: Path, kind: str
) -> Filtered:
    try:
        micrograph = calibrate(source.read(), recipe, source.path)
        exclude = find_overlays(micrograph) if recipe.exclude_overlays else None
        result = recipe.pipeline(micrograph, exclude=exclude, others=others)
        path.write_bytes(_encoded(result, kind))
    except (UserError, OSError) as error:
        return Filtered(source.name, None, str(error))
    return Filtered(source.name, path)


def _encoded(micrograph: Micrograph, kind: str) -> bytes:
    if kind == "png":
        return save_png_bytes(micrograph)
    return save_tiff_bytes(to_sixteen_bits(micrograph) if kind == "tiff16" else micrograph)


def _stems(sources: list[Source]) -> Iterator[str]:
    """Yield a plain file name per source; equal ones get a number."""
    taken: set[str] = set()
    for source in sources:
        stem = file_stem(source.name, longest=80)
        unique, count = stem, 1
        while unique.casefold() in taken:
            count += 1
            unique = f"{stem}_{count}"
        taken.add(unique.casefold())
        yield unique


def _made(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {out} cannot be made: {error.strerror}.") from error
    return out
