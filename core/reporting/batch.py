"""Micrographs x Recipe -> rows, one per micrograph, whatever becomes of the others.

Threads read ahead and measure behind while the network works in the calling thread, and only a
few micrographs are in memory at any time. No torch is imported before a batch starts.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.overlays import find_overlays, overlay_choice
from core.micrograph import Micrograph
from core.reporting import export
from core.reporting.analysis import Preview, analyse, list_columns, tabulate_regions
from core.reporting.recipe import Recipe
from core.reporting.sources import GivenSource, Source, list_sources

if TYPE_CHECKING:
    from core.learning.checkpoints import Classifier
    from core.learning.classification import Classification
    from core.learning.explanation import Explanation

ENGINES = ("threads",)
WORKERS = min(4, os.cpu_count() or 1)
GROUP = 8  # micrographs per pass through the network, and
GROUP_PX = 24_000_000  # pixels, so that a few very large ones do not fill the memory
MOST_PREVIEWS = 400
HEAD = ("number", "name", "status", "reason", "duplicate_of")
WHOLE_NUMBERS = (
    "duplicate_of",
    "target_cluster",
    "target_area_px",
    "regions",
    "width_px",
    "height_px",
)

log = logging.getLogger(__name__)
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class BatchResult:
    """Rows and what is needed to report on them.

    Attributes
    ----------
    rows : DataFrame
        One row per source, in the order given: number, name, status ("ok" or "failed"), reason,
        duplicate_of, then results with units in their names. The same files and recipe give the
        same rows.
    regions : DataFrame
        One line per region of the target cluster, with the number and name of its micrograph.
    recipe : Recipe
    out : Path
    previews : tuple of Preview or None
        One per row; None for a failed row and beyond the first 400.
    model : dict
        name, sha256, architecture, classes, display_names and device of the network, and the
        title and reference of the explanation method.
    files : tuple of str
        What was written, relative to `out`.
    elapsed_s : float
        Kept out of the rows, which do not depend on the speed of the machine.
    """

    rows: pd.DataFrame
    regions: pd.DataFrame
    recipe: Recipe
    out: Path
    previews: tuple[Preview | None, ...]
    model: dict[str, Any]
    files: tuple[str, ...]
    elapsed_s: float

    @property
    def succeeded(self) -> pd.DataFrame:
        """Rows with status "ok"."""
        return self.rows[self.rows["status"] == "ok"]

    @property
    def failed(self) -> pd.DataFrame:
        """Rows with status "failed"."""
        return self.rows[self.rows["status"] == "failed"]


@dataclass(slots=True)
class _Item:
    """One source on its way through the batch."""

    number: int
    source: Source
    micrograph: Micrograph | None = None
    exclude: NDArray[np.bool_] | None = None
    reason: str = ""
    first: _Item | None = None  # the same file earlier in the batch
    answer: tuple[Classification, Explanation] | None = None
    values: dict[str, Any] = field(default_factory=dict)
    regions: pd.DataFrame | None = None
    preview: Preview | None = None
    files: tuple[str, ...] = ()


def run_batch(
    sources: Iterable[GivenSource],
    recipe: Recipe,
    out: str | PathLike[str],
    *,
    engine: str = "threads",
    on_progress: Progress | None = None,
    classifier: Classifier | None = None,
) -> BatchResult:
    """Classify, explain, cluster and measure micrographs, and write the results to a folder.

    Parameters
    ----------
    sources : iterable of Path, (name, bytes) or Micrograph
        A folder stands for every image in it and below it.
    recipe : Recipe
        Its filters act on clustering and measuring. The network sees the unfiltered micrograph.
    out : path
        Folder for results.csv, regions.csv, recipe.json, overlays, masks and, written last,
        manifest.json. Made when it is missing; other files in it are left alone.
    engine : str
        Only "threads".
    on_progress : callable, optional
        Called in this thread as on_progress(done, total, name) after each micrograph.
    classifier : Classifier, optional
        Used in place of loading the recipe's model again.

    Returns
    -------
    BatchResult
        A micrograph that cannot be read or analysed is a row with status "failed" and the
        reason; the others go on. A file that occurs twice is computed once.

    Raises
    ------
    UserError
        If there are no sources, the engine, the model or the method is unknown, or the folder
        cannot be written.
    """
    began = time.perf_counter()
    if engine not in ENGINES:
        raise UserError(f"There is no engine {engine!r}. Available: {', '.join(ENGINES)}.")
    items = [_Item(n, source) for n, source in enumerate(list_sources(sources), start=1)]
    network = classifier if classifier is not None else _load(recipe)
    _check_method(recipe)
    folder = export.make_folder(Path(out))
    report = on_progress or (lambda done, total, name: None)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="batch") as pool:
        for done, item in enumerate(_work(items, recipe, network, folder, pool), start=1):
            report(done, len(items), item.source.name)
    model = _describe(network, recipe)
    rows, regions = _rows(items, model["classes"], recipe.clusters), _regions(items)
    files = tuple(name for item in items for name in item.files)
    files = export.write_tables(folder, rows, regions, recipe, model, files)
    return BatchResult(
        rows=rows,
        regions=regions,
        recipe=recipe,
        out=folder,
        previews=tuple((item.first or item).preview for item in items),
        model=model,
        files=files,
        elapsed_s=time.perf_counter() - began,
    )


def batch_zip(result: BatchResult) -> bytes:
    """Return everything the batch wrote, and report.html where it was written, as a ZIP file."""
    return export.zip_files(result.out, result.files)


def _load(recipe: Recipe) -> Classifier:
    from core.learning.checkpoints import load_model

    return load_model(recipe.model)


def _check_method(recipe: Recipe) -> None:
    from core.learning.explanation import METHODS

    if recipe.method not in METHODS:
        raise UserError(
            f"There is no explanation method {recipe.method!r}. Choose one of {', '.join(METHODS)}."
        )


def _work(
    items: list[_Item], recipe: Recipe, network: Classifier, folder: Path, pool: ThreadPoolExecutor
) -> Iterator[_Item]:
    """Yield each item when it is finished, in order; every stage pulls from the one before."""
    read = _threaded(items, lambda item: _read(item, recipe), pool)
    known: dict[str, _Item] = {}
    distinct = (_let_go_of_duplicate(item, known) for item in read)
    answered = (item for group in _groups(distinct) for item in _answer(group, recipe, network))
    return _threaded(answered, lambda item: _finish(item, recipe, folder), pool)


def _threaded(
    items: Iterable[_Item], work: Callable[[_Item], None], pool: ThreadPoolExecutor
) -> Iterator[_Item]:
    """Yield items in order after threads have worked on them, with only a few under way."""
    under_way: deque[tuple[_Item, Future[None]]] = deque()
    for item in items:
        under_way.append((item, pool.submit(work, item)))
        while under_way and (len(under_way) > WORKERS or under_way[0][1].done()):
            yield _result(*under_way.popleft())
    while under_way:
        yield _result(*under_way.popleft())


def _result(item: _Item, job: Future[None]) -> _Item:
    job.result()
    return item


def _read(item: _Item, recipe: Recipe) -> None:
    try:
        micrograph = item.source.read()
        item.exclude = find_overlays(micrograph) if recipe.exclude_overlays else None
        item.micrograph = micrograph
    except Exception as error:
        _fail(item, error)


def _let_go_of_duplicate(item: _Item, known: dict[str, _Item]) -> _Item:
    one = item.micrograph
    if one is not None:
        key = f"{one.sha256}|{one.pixel_size!r}|{overlay_choice(one)}"
        first = known.setdefault(key, item)
        if first is not item:
            item.first, item.micrograph, item.exclude = first, None, None
    return item


def _groups(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Yield items in groups for the network; the grouping depends on nothing but their sizes."""
    group: list[_Item] = []
    pixels = 0
    for item in items:
        group.append(item)
        pixels += item.micrograph.pixels.size if item.micrograph is not None else 0
        if len(group) == GROUP or pixels >= GROUP_PX:
            yield group
            group, pixels = [], 0
    if group:
        yield group


def _answer(group: list[_Item], recipe: Recipe, network: Classifier) -> list[_Item]:
    """Classify and explain a group; when that fails, each of its members gets its own try."""
    waiting = [item for item in group if item.micrograph is not None]
    try:
        _ask(waiting, recipe, network)
    except Exception:
        log.info("a group of %d failed; its members are tried one by one", len(waiting))
        for item in waiting:
            try:
                _ask([item], recipe, network)
            except Exception as error:
                _fail(item, error)
    return group


def _ask(items: list[_Item], recipe: Recipe, network: Classifier) -> None:
    from core.learning.classification import classify
    from core.learning.explanation import explain

    micrographs = [item.micrograph for item in items if item.micrograph is not None]
    masks = [item.exclude for item in items]
    answers = classify(network, micrographs, excludes=masks)
    for item, micrograph, answer in zip(items, micrographs, answers, strict=True):
        item.answer = (
            answer,
            explain(network, micrograph, recipe.method, answer.label, exclude=item.exclude),
        )


def _finish(item: _Item, recipe: Recipe, folder: Path) -> None:
    """Measure, write the pictures, and let go of the pixels."""
    try:
        if item.micrograph is not None and item.answer is not None:
            analysis = analyse(item.micrograph, item.exclude, *item.answer, recipe)
            overlay, mask = export.write_pictures(folder, item.number, item.source.name, analysis)
            item.files = overlay, mask
            item.values = {**analysis.values, "overlay_file": overlay, "mask_file": mask}
            item.regions = analysis.regions
            item.preview = analysis.preview if item.number <= MOST_PREVIEWS else None
    except Exception as error:
        _fail(item, error)
    finally:
        item.micrograph = item.exclude = item.answer = None


def _fail(item: _Item, error: Exception) -> None:
    item.micrograph = item.exclude = item.answer = None
    item.values, item.files, item.regions, item.preview = {}, (), None, None
    if isinstance(error, UserError):
        item.reason = str(error)
    else:
        log.error("%s failed", item.source.name, exc_info=error)
        item.reason = f"unexpected: {type(error).__name__}"


def _row(item: _Item) -> dict[str, Any]:
    told = item.first or item
    return {
        "number": item.number,
        "name": item.source.name,
        "status": "failed" if told.reason else "ok",
        "reason": told.reason,
        "duplicate_of": item.first.number if item.first else None,
        **told.values,
    }


def _rows(items: list[_Item], classes: Sequence[str], clusters: int) -> pd.DataFrame:
    columns = [*HEAD, *list_columns(classes, clusters), "overlay_file", "mask_file"]
    rows = pd.DataFrame([_row(item) for item in items]).reindex(columns=columns)
    # Failed rows have no numbers; nullable integers keep the others whole.
    return rows.astype(dict.fromkeys(WHOLE_NUMBERS, "Int64"))


def _regions(items: list[_Item]) -> pd.DataFrame:
    frames = []
    for item in items:
        if item.regions is not None and len(item.regions):
            frame = item.regions.copy()
            frame.insert(0, "number", item.number)
            frame.insert(1, "name", item.source.name)
            frame["pixel_size_source"] = item.values["pixel_size_source"]
            frames.append(frame)
    if frames:
        return pd.concat(frames, ignore_index=True)
    nothing = Micrograph("", np.zeros((1, 1), np.uint8))
    empty = tabulate_regions(np.zeros((1, 1), np.bool_), nothing, 1)
    return pd.DataFrame(columns=["number", "name", *empty.columns, "pixel_size_source"])


def _describe(network: Classifier, recipe: Recipe) -> dict[str, Any]:
    from core.learning.explanation import METHODS

    card, method = network.card, METHODS[recipe.method]
    return {
        "name": network.name,
        "sha256": card.sha256,
        "architecture": card.architecture,
        "classes": list(card.classes),
        "display_names": dict(card.display_names),
        "device": network.device,
        "explanation": {"title": method.title, "reference": method.reference},
    }
