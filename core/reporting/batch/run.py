"""Micrographs x Recipe -> rows, one per micrograph, whatever becomes of the others.

Reading, network and measuring overlap, only a few micrographs are in memory at any time, and what
is finished goes to the disk at once: a batch that was killed goes on where it stopped. No torch is
imported before a batch starts.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.errors import UserError
from core.reporting.batch import export
from core.reporting.batch.analysis import Preview, check_choices
from core.reporting.batch.deciding import decide
from core.reporting.batch.journal import FOLDER, PICTURE_FOLDERS, Entry, Journal
from core.reporting.batch.lock import hold_folder
from core.reporting.batch.others import Others, find_others
from core.reporting.batch.pipeline import Item, Known, plain, work_in_threads
from core.reporting.batch.rows import likeness, tabulation
from core.reporting.batch.rows.hand import HAND
from core.reporting.batch.rows.naming import find_sample, match_class
from core.reporting.batch.rows.spreadsheet import csv_bytes
from core.reporting.batch.sources import GivenSource, Source, list_sources, written_by_batch
from core.reporting.decisions import find_decision
from core.reporting.recipe import Recipe

if TYPE_CHECKING:
    from core.learning.models import Classifier

ENGINES = ("threads", "dask")
MOST_PREVIEWS = 400
PREVIEWS = ("original", "overlay", "clusters", "thumbnail")
MOST_PLATES = 120  # rows that have larger pictures, too: some of each sample
PLATES = ("field", "outlines", "heat")

_ENTRY = {  # what `_entry` writes beside names, stamp and files
    "number": int,
    "key": str,
    "reason": str,
    "first": int | None,
    "values": dict,
    "regions": dict | None,
    "likeness": str,
}
Progress = Callable[[int, int, str], None]
OnRow = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, eq=False)
class BatchResult:
    """Rows and what is needed to report on them.

    Attributes
    ----------
    rows : DataFrame
        One row per source, in the order given: number, name, status ("ok" or "failed"), reason,
        warnings, duplicate_of, near_duplicate_of, true_label, then results with units in their
        names. The same files and recipe give the same rows.
    recipe : Recipe
        As given, with the digest of the weights that were used, and with what was decided for
        each sample where it left something to the pictures.
    out : Path
    model : dict
        name, sha256, architecture, classes, display_names, limits, calibration and device of the
        network, whether it sees whole frames, its record on held-out micrographs (`metrics`), and
        the title and reference of the explanation method.
    files : tuple of str
        What was written, relative to `out`.
    given : int
        How many sources there were; more than rows when the batch was cancelled.
    times : dict
        When it ran and for how long; kept out of the rows, which do not depend on it.
    by_hand : DataFrame
        What a person measured on the micrographs, as `list_by_hand` gives it; may be empty.
    """

    rows: pd.DataFrame
    recipe: Recipe
    out: Path
    model: dict[str, Any]
    files: tuple[str, ...]
    given: int
    times: dict[str, Any]
    by_hand: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def succeeded(self) -> pd.DataFrame:
        """Rows with status "ok"."""
        return self.rows[self.rows["status"] == "ok"]

    @property
    def failed(self) -> pd.DataFrame:
        """Rows with status "failed"."""
        return self.rows[self.rows["status"] == "failed"]

    @property
    def fields(self) -> pd.DataFrame:
        """Rows that count in statistics: analysed, and not a copy of an earlier file."""
        rows = self.succeeded
        return rows[rows["duplicate_of"].isna()]

    @property
    def elapsed_s(self) -> float:
        """How long it took, without what an earlier run had done."""
        return float(self.times["elapsed_s"])

    @property
    def regions(self) -> pd.DataFrame:
        """One line per region of the target cluster, with number and name of its micrograph.

        Read from the disk at each call: a large batch has millions of them.
        """
        frames = list(self.each_regions())
        kept = [frame for frame in frames if len(frame)]
        return pd.concat(kept, ignore_index=True) if kept else tabulation.no_regions()

    def each_regions(self) -> Iterator[pd.DataFrame]:
        """Yield the regions of one micrograph after the other; copies have none of their own."""
        for entry in Journal(self.out).entries():
            if entry["regions"] is not None:
                yield tabulation.regions_of(entry)

    def preview(self, number: int) -> Preview | None:
        """Return the small pictures of a row; None for a failed one and beyond the first 400."""
        row = self.rows[self.rows["number"] == number].iloc[0]
        shown = number if pd.isna(row["duplicate_of"]) else int(row["duplicate_of"])
        paths = [self.out / name for name in _preview_files(shown)]
        if row["status"] != "ok" or not all(path.is_file() for path in paths):
            return None
        large = [self.out / name for name in _preview_files(shown, PLATES)]
        paths += large if all(path.is_file() for path in large) else []
        return Preview(*(path.read_bytes() for path in paths))


def run_batch(
    sources: Iterable[GivenSource],
    recipe: Recipe,
    out: str | PathLike[str],
    *,
    engine: str = "threads",
    on_progress: Progress | None = None,
    classifier: Classifier | None = None,
    resume: bool = False,
    grows: bool = False,
    scheduler: str | None = None,
    workers: int = 2,
    labels: Mapping[str, str] | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_row: OnRow | None = None,
    others: Iterable[GivenSource] = (),
) -> BatchResult:
    """Classify, explain, cluster and measure micrographs, and write the results to a folder.

    Parameters
    ----------
    sources : iterable of Path, (name, bytes) or Micrograph
        A folder stands for every image in it and below it, an archive for what is in it.
    recipe : Recipe
        Its filters act on clustering and measuring. The network sees the unfiltered micrograph.
    out : path
        Folder for results.csv, results.parquet, regions.csv, recipe.json, the same in tidy/ for
        other programs, columns.csv with the meaning of every column, the pictures that the recipe
        asks for and, written last, manifest.json. Made when it is missing; other files in it are
        left alone.
    engine : str
        "threads" of this process; or "dask", processes of a `dask.distributed` cluster, which
        give the same rows. They must see files under the same paths.
    on_progress : callable, optional
        Called in this thread as on_progress(done, total, name) after each micrograph.
    classifier : Classifier, optional
        Used in place of loading the recipe's model again.
    resume : bool
        Go on with what the same batch has left in the folder.
    grows : bool
        Files may join: with `resume`, those that the folder has results of come first, in their
        order there, and only the others are computed.
    scheduler : str, optional
        Address of a Dask scheduler; without one, a cluster is started here.
    workers : int
        Processes of that cluster.
    labels : mapping, optional
        Name of a micrograph to its true class; it counts before what `recipe.label_from` finds.
    should_stop : callable, optional
        Asked after each micrograph; once it returns True the batch ends with what is done.
    on_row : callable, optional
        Called in this thread with each row as far as it is known at that moment.
    others : iterable of Path, (name, bytes) or Micrograph
        Where filters find the micrographs that they name by digest (a flat field, a histogram to
        match), before they look among the sources; not analysed.

    Returns
    -------
    BatchResult
        A micrograph that cannot be read or analysed is a row with status "failed" and the
        reason; the others go on. A file that occurs twice is computed once.

    Raises
    ------
    UserError
        If there are no sources, the engine, the model or a choice of the recipe is unknown, the
        folder cannot be written, another batch is at work in it, or it holds another batch that
        was to be resumed; or if a micrograph that a filter names is not there.
    """
    began, started = time.perf_counter(), datetime.now(UTC)
    if engine not in ENGINES:
        raise UserError(f"There is no engine {engine!r}. Available: {', '.join(ENGINES)}.")
    listed = list_sources(sources, is_written=written_by_batch(Path(out)))
    if grows and resume:
        places = Journal(Path(out)).order([source.name for source in listed])
        listed = [listed[place] for place in places]
    network = classifier if classifier is not None else _load(recipe)
    _check(recipe, network)
    recipe = replace(recipe, model_sha256=network.card.sha256)  # a repetition must use these
    model = _describe(network, recipe)
    named = find_others(recipe, others, listed)
    key, recipe = _key(recipe, model, listed, grows), decide(recipe, listed, named)
    with _held(Path(out)) as folder:
        writer = _Writer(folder, key, recipe)
        items = writer.start(listed, resume)
        at_work = _work(engine, items, recipe, network, writer.known, scheduler, workers, named)
        listen = on_progress or (lambda done, total, name: None)
        with closing(at_work):
            for item in at_work:
                entry = writer.write(item)
                if on_row is not None:
                    on_row(tabulation.row_of(entry, writer.firsts.get(entry["first"])))
                listen(item.number, len(listed), item.source.name)
                if should_stop is not None and should_stop():
                    break
        writer.end()
        times = {
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "elapsed_s": round(time.perf_counter() - began, 3),
            "resumed_behind": len(listed) - len(items),
        }
        return _assemble(folder, recipe, model, labels or {}, len(listed), times)


@contextmanager
def _held(out: Path) -> Iterator[Path]:
    """Make the folder of a batch and keep all other batches out of it."""
    folder = export.make_folder(out)
    with ExitStack() as stack:
        with export.writing(folder):
            stack.enter_context(hold_folder(folder))
        yield folder


def relabel(result: BatchResult, labels: Mapping[int, str]) -> BatchResult:
    """Return the result with true classes stated by a person, and write the tables again.

    Parameters
    ----------
    result : BatchResult
    labels : mapping
        Number of a row to the id or the words of a class; "" takes a label back; what is no
        class does not take back what a person has set.
    """
    titles = _titles(result.model)
    rows = result.rows[["number", "true_label", "stated_label"]]
    truth = []
    for number, known, stated in rows.itertuples(index=False):
        label = labels.get(number, known)
        by_person = known != match_class(stated, titles)
        keeps = by_person and label.strip() and not match_class(label, titles)
        truth.append(known if keeps else match_class(label, titles))
    return _written(replace(result, rows=result.rows.assign(true_label=truth)))


def add_by_hand(result: BatchResult, table: pd.DataFrame) -> BatchResult:
    """Return the result with what a person measured; it is written beside the other tables."""
    with export.writing(result.out):
        (result.out / HAND).write_bytes(csv_bytes(table))
    return _written(replace(result, by_hand=table, files=(*result.files, HAND)))


def write_zip(result: BatchResult) -> Path:
    """Write everything the batch wrote into a ZIP file beside it, piece by piece; return its path.

    The file is hidden, and no part of the report.
    """
    path = result.out / FOLDER / "report.zip"
    export.zip_files(result.out, result.files, path)
    return path


class _Writer:
    """Puts finished micrographs on the disk: pictures at once, journal entries by whole groups."""

    def __init__(self, folder: Path, key: str, recipe: Recipe) -> None:
        self.folder = folder
        self.key = key
        self.recipe = recipe
        self.journal = Journal(folder)
        self.known = Known()
        self.firsts: dict[int | None, Entry] = {}  # what a copy must tell of its first
        self.group: list[Entry] = []
        self.group_number = 0

    def start(self, listed: list[Source], resume: bool) -> list[Item]:
        """Return the items that are still to be done."""
        # A row that another decision made is as outdated as one of a file that has changed.
        stamps = [f"{source.stamp()}|{_decided(source, self.recipe)}" for source in listed]
        done = 0
        if resume:
            names = [source.name for source in listed]
            done = self.journal.resume(self.key, list(zip(names, stamps, strict=True)), _ENTRY)
            export.clear_folder(self.folder, keep=True)
            for entry in self.journal.entries():
                self._remember(entry)
                if entry["key"] and entry["first"] is None:
                    self.known.numbers[entry["key"]] = entry["number"]
        else:
            export.clear_folder(self.folder)
            with export.writing(self.folder):
                self.journal.begin(self.key)
        return [
            Item(number, source, stamp)
            for number, (source, stamp) in enumerate(zip(listed, stamps, strict=True), start=1)
            if number > done
        ]

    def write(self, item: Item) -> Entry:
        """Write what came of a micrograph; its entry waits for the rest of its group."""
        with export.writing(self.folder):
            return self._write(item)

    def _write(self, item: Item) -> Entry:
        if item.group != self.group_number:
            self.end()
            self.group_number = item.group
        files: tuple[str, ...] = ()
        previews: tuple[str, ...] = ()
        if item.done is not None:
            files = export.write_pictures(
                self.folder, item.number, item.source.name, item.done.pictures
            )
            if item.number <= MOST_PREVIEWS:
                previews = _write_preview(self.folder, item.number, item.done.preview)
        entry = _entry(item, files, previews)
        self.group.append(entry)
        self._remember(entry)
        item.done = None
        return entry

    def _remember(self, entry: Entry) -> None:
        if entry["first"] is None:
            self.firsts[entry["number"]] = tabulation.slim(entry)

    def end(self) -> None:
        """Write the entries that wait."""
        with export.writing(self.folder):
            if self.group:
                self.journal.append(self.group)
        self.group = []


def _decided(source: Source, recipe: Recipe) -> str:
    """Return a digest of what was decided for a file's sample: other samples may join later.

    Of all samples where only the file's metadata would name its own.
    """
    decided: object = recipe.decided
    if not recipe.sample_from.startswith("metadata"):
        decided = find_decision(recipe.decided, find_sample(recipe, None, source.path))
    return hashlib.sha256(repr(decided).encode()).hexdigest()[:16]


def _entry(item: Item, files: tuple[str, ...], previews: tuple[str, ...]) -> Entry:
    done = item.done
    return {
        "number": item.number,
        "name": item.source.name,
        "stamp": item.stamp,
        "key": item.reading.key if item.first is None and not item.reason else "",
        "reason": item.reason,
        "first": item.first,
        "values": _values(item),
        "regions": tabulation.pack_regions(done.regions) if done else None,
        "files": list(files),
        "previews": list(previews),
        "likeness": done.likeness if done else "",
    }


def _values(item: Item) -> dict[str, Any]:
    """Return the columns of a row; of a copy those that it does not share with its first."""
    if item.first is not None:
        return dict(item.reading.named)
    return {key: plain(v) for key, v in item.done.values.items()} if item.done else {}


def _write_preview(folder: Path, number: int, preview: Preview) -> tuple[str, ...]:
    kinds = (*PREVIEWS, *PLATES) if number <= MOST_PLATES else PREVIEWS
    names = _preview_files(number, kinds)
    (folder / names[0]).parent.mkdir(parents=True, exist_ok=True)
    for name, kind in zip(names, kinds, strict=True):
        (folder / name).write_bytes(getattr(preview, kind))
    return names


def _preview_files(number: int, kinds: tuple[str, ...] = PREVIEWS) -> tuple[str, ...]:
    return tuple(f"{FOLDER}/previews/{number:04d}_{kind}.jpg" for kind in kinds)


def _load(recipe: Recipe) -> Classifier:
    from core.learning.models import load_model

    return load_model(recipe.model, prepare=recipe.prepare or "")


def _check(recipe: Recipe, network: Classifier) -> None:
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


def _key(recipe: Recipe, model: Mapping[str, Any], listed: list[Source], grows: bool) -> str:
    """Return what must be equal for a batch to go on: all but the content of the files.

    Of one that grows, files and what was decided may be more; stamps tell which rows still hold.
    """
    names = [] if grows else [source.name for source in listed]
    stated = replace(recipe, decided=()) if grows else recipe
    parts = (stated.to_json(), model, export.list_versions(), names)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _work(
    engine: str,
    items: list[Item],
    recipe: Recipe,
    network: Classifier,
    known: Known,
    scheduler: str | None,
    workers: int,
    others: Others,
) -> Generator[Item, None, None]:
    if engine == "threads":
        return work_in_threads(items, recipe, network, known, others)
    from core.reporting.batch.dask_engine import work_in_processes

    return work_in_processes(items, recipe, network.card.sha256, known, scheduler, workers, others)


def _assemble(
    folder: Path,
    recipe: Recipe,
    model: dict[str, Any],
    labels: Mapping[str, str],
    given: int,
    times: dict[str, Any],
) -> BatchResult:
    """Read back what was written, which is the same whether or not the batch was interrupted."""
    journal = Journal(folder)
    described = {e["number"]: e["likeness"] for e in journal.entries() if e["likeness"]}
    rows = tabulation.tabulate(
        journal.entries(),
        likeness.find_alike(described),
        labels,
        _titles(model),
        recipe,
    )
    files = tuple(name for entry in journal.entries() for name in entry["files"])
    return _written(BatchResult(rows, recipe, folder, model, files, given, times))


def _written(result: BatchResult) -> BatchResult:
    """Write the tables of a result and return it with the names of all files."""
    kept = (*PICTURE_FOLDERS, HAND)
    pictures = [name for name in result.files if name.split("/")[0] in kept]
    files = export.write_tables(
        result.out,
        result.rows,
        result.each_regions(),
        result.recipe,
        result.model,
        pictures,
        result.times,
        result.given,
    )
    return replace(result, files=files)


def _titles(model: Mapping[str, Any]) -> dict[str, str]:
    return {name: model["display_names"].get(name, name) for name in model["classes"]}


def _describe(network: Classifier, recipe: Recipe) -> dict[str, Any]:
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
