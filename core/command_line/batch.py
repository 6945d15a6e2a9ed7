"""`batch`: many micrographs into one report."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.command_line.exits import EXIT_OK, EXIT_SOME_FAILED, EXIT_STOPPED
from core.command_line.files import read_bytes, read_text, require
from core.command_line.options import add_stated, new_command, typed_path
from core.command_line.progress import draw_progress
from core.command_line.reports import write_files, zip_path
from core.errors import UserError

if TYPE_CHECKING:
    from core.reporting.batch import BatchResult
    from core.reporting.recipe import Picture, Recipe


def add(commands: Any) -> None:
    """Add `batch` and its options."""
    batch = new_command(
        commands,
        "batch",
        "analyse many micrographs into one report",
        "data/ --out report",
        "data/ --recipe recipe.json --labels labels.csv --zip",
        "data/ --out report --resume",
        "data/ --recipe with_flat_field.json --with flat.tif",
        "data/ --engine dask --workers 8",
        "data/ --watch",
    )
    _add_given(batch)
    _add_said(batch)
    _add_way(batch)
    batch.set_defaults(run=run, others=[], author=[])


def _add_given(batch: argparse.ArgumentParser) -> None:
    """Add what is analysed, and by which rules."""
    batch.add_argument("inputs", nargs="+", type=typed_path, help="files, folders or ZIPs")
    batch.add_argument(
        "--out", type=typed_path, default=Path("report"), help="folder for the report"
    )
    batch.add_argument("--recipe", type=typed_path, help="settings as JSON; defaults otherwise")
    batch.add_argument(
        "--labels",
        type=typed_path,
        help="CSV with the columns name and label, or a corrected results.csv",
    )
    batch.add_argument(
        "--with",
        type=typed_path,
        nargs="+",
        dest="others",
        metavar="FILE",
        help="flat field, or picture whose histogram is matched, where the recipe names one that "
        "is not among the inputs; not analysed",
    )
    batch.add_argument(
        "--model", help="a model's name, a model folder or a weight file, instead of the recipe's"
    )
    add_stated(batch)
    batch.add_argument(
        "--pixel-size",
        metavar="RULE",
        help='"file", "read" (also from the scale bar where two findings agree) or a length such '
        'as "2.5 nm" for all; else as the recipe says, which is "file" by default',
    )
    batch.add_argument(
        "--samples",
        metavar="RULE|CSV",
        help='which files are of one sample: "folder", "name:start" (the name without its number), '
        '"name:1" (its first part), … or a CSV with the columns name and sample; results are '
        "grouped and compared by it",
    )


def _add_said(batch: argparse.ArgumentParser) -> None:
    """Add what the report says of itself, and what is kept."""
    batch.add_argument("--title", default="", help="of the report and the study")
    batch.add_argument("--author", action="append", help="of both; may be given several times")
    batch.add_argument("--note", default="", help="a paragraph below the title")
    batch.add_argument("--maps", action="store_true", help="keep the heat maps as NPY, too")


def _add_way(batch: argparse.ArgumentParser) -> None:
    """Add how it is run, and what is written besides."""
    batch.add_argument("--resume", action="store_true", help="go on with what --out holds")
    batch.add_argument(
        "--watch",
        action="store_true",
        help="stay, and take new files into the batch and the report as they come; Ctrl+C ends it",
    )
    batch.add_argument(
        "--engine",
        choices=("threads", "dask"),
        default="threads",
        help="threads of this process, or processes of a Dask cluster: the same rows",
    )
    batch.add_argument("--scheduler", help="address of a Dask scheduler; else one is started here")
    batch.add_argument("--workers", type=int, default=2, help="processes of that")
    batch.add_argument("--zip", action="store_true", help="also write OUT.zip")
    batch.add_argument(
        "--study",
        type=Path,
        metavar="FILE",
        help="also save a study: micrographs, recipe and results in one file that opens again",
    )
    batch.add_argument("--quiet", action="store_true", help="no progress bar")


def run(options: argparse.Namespace) -> int:
    """Run a batch and write its report, once or again and again; return the exit code."""
    from core.reporting.batch import read_labels, run_batch

    if not 1 <= options.workers <= 256:
        raise UserError(f"--workers must be from 1 to 256, got {options.workers}.")
    if options.scheduler and options.engine != "dask":
        raise UserError("--scheduler goes with --engine dask.")
    require(*options.inputs, *options.others)
    target = zip_path(options.out) if options.zip else None
    labels = read_labels(read_bytes(options.labels)) if options.labels else None
    asked = {
        "engine": options.engine,
        "scheduler": options.scheduler,
        "workers": options.workers,
        "labels": labels,
        "others": options.others,
        "resume": options.resume,
        "on_progress": None if options.quiet else draw_progress(),
    }

    def take_home(result: BatchResult) -> None:
        if labels:
            _say_what_matched(result, labels)
        write_files(result, target, options)
        if options.study:
            _save_study(result, options, labels)

    if options.watch:
        return _watch(options, take_home, asked)
    try:
        result = run_batch(options.inputs, _recipe(options), options.out, **asked)
    except KeyboardInterrupt:
        print(f"\nstopped; go on with --resume --out {options.out}", file=sys.stderr)
        return EXIT_STOPPED
    take_home(result)
    return EXIT_SOME_FAILED if len(result.failed) else EXIT_OK


def _watch(
    options: argparse.Namespace, take_home: Callable[[BatchResult], None], asked: dict[str, Any]
) -> int:
    """Take files as they come; the first Ctrl+C ends after the file at hand, a second at once."""
    from core.reporting.watching import watch_batch

    stop = threading.Event()

    def end(number: int, frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, end)
    print("watching; Ctrl+C ends it", file=sys.stderr)
    try:
        watch_batch(
            options.inputs, _recipe(options), options.out, on_result=take_home, stop=stop, **asked
        )
    finally:
        signal.signal(signal.SIGINT, before)
    print(f"ended; go on with --watch --resume --out {options.out}", file=sys.stderr)
    return EXIT_OK


def _save_study(
    result: BatchResult, options: argparse.Namespace, labels: Mapping[str, str] | None
) -> None:
    from core.reporting.study import save_study

    words = {"title": options.title, "authors": options.author, "note": options.note}
    print(save_study(options.inputs, options.study, result=result, labels=labels, **words))


def _say_what_matched(result: BatchResult, labels: Mapping[str, str]) -> None:
    from core.reporting.batch import match_labels

    model = result.model
    titles = {name: model["display_names"].get(name, name) for name in model["classes"]}
    names = dict(zip(result.rows["number"].tolist(), result.rows["name"], strict=True))
    said = match_labels(labels, names, titles).sentence()
    if said:
        print(f"labels: {said}", file=sys.stderr)


def _recipe(options: argparse.Namespace) -> Recipe:
    from core.reporting.recipe import Recipe

    recipe = Recipe.from_json(read_text(options.recipe)) if options.recipe else Recipe()
    more: list[Picture] = ["maps"] if options.maps else []
    more += ["labels", "rois"] if options.study else []
    added = tuple(kind for kind in more if kind not in recipe.pictures)
    if added:
        recipe = replace(recipe, pictures=(*recipe.pictures, *added))
    if options.model is not None:
        recipe = replace(recipe, model=options.model, model_sha256="")
    if options.prepare:
        recipe = replace(recipe, prepare=options.prepare)
    if options.classes:
        recipe = replace(recipe, classes_per_frame=options.classes)
    if options.samples is not None:
        recipe = replace(recipe, **_samples(options.samples))
    if options.pixel_size is not None:
        try:
            recipe = replace(recipe, pixel_size_from=options.pixel_size)
        except ValueError as error:
            raise UserError(f"--pixel-size cannot be used: {error}.") from error
    return recipe


def _samples(given: str) -> dict[str, Any]:
    """Return the fields of a recipe that a rule, or a table of names and samples, stands for."""
    from core.reporting.batch import read_samples
    from core.reporting.recipe import Recipe

    if given.lower().endswith((".csv", ".tsv", ".txt")):
        require(Path(given))
        return {"samples": tuple(read_samples(read_bytes(Path(given))).items())}
    try:
        return {"sample_from": Recipe(sample_from=given).sample_from}
    except ValueError as error:
        raise UserError(f"--samples cannot be used: {error}.") from error
