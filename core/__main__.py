"""The command line: `python -m core batch|filter|train|info`; the core of the app, headless."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError

if TYPE_CHECKING:
    from core.learning.training import Start
    from core.reporting.recipe import Recipe

EXIT_OK, EXIT_USAGE, EXIT_SOME_FAILED, EXIT_STOPPED = 0, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code.

    0 done, 2 wrong use, 3 some micrographs failed, 130 stopped by the keyboard.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="batch|filter|train|info")

    batch = commands.add_parser("batch", help="analyse many micrographs into one report")
    batch.add_argument("inputs", nargs="+", type=Path, help="files, folders or ZIPs")
    batch.add_argument("--out", type=Path, default=Path("report"), help="folder for the report")
    batch.add_argument("--recipe", type=Path, help="settings as JSON; defaults otherwise")
    batch.add_argument("--labels", type=Path, help="CSV with the columns name and label")
    batch.add_argument("--maps", action="store_true", help="keep the heat maps as NPY, too")
    batch.add_argument("--resume", action="store_true", help="go on with what --out holds")
    batch.add_argument("--engine", choices=("threads", "dask"), default="threads")
    batch.add_argument("--scheduler", help="address of a Dask scheduler; else one is started here")
    batch.add_argument("--workers", type=int, default=2, help="processes of that (default 2)")
    batch.add_argument("--zip", action="store_true", help="also write OUT.zip")
    batch.add_argument("--quiet", action="store_true", help="no progress bar")
    batch.set_defaults(run=_batch)

    filter_ = commands.add_parser("filter", help="apply the filters of a recipe to files")
    filter_.add_argument("inputs", nargs="+", type=Path, help="files or folders")
    filter_.add_argument("--recipe", type=Path, required=True, help="from the Filters page")
    filter_.add_argument("--out", type=Path, default=Path("filtered"), help="folder to write to")
    filter_.add_argument(
        "--with", type=Path, nargs="+", default=[], dest="others", help="flat field"
    )
    filter_.add_argument("--format", choices=("tiff", "tiff16", "png"), default="tiff")
    filter_.set_defaults(run=_filter)

    train = commands.add_parser("train", help="train a model on folders with a folder per class")
    train.add_argument("folders", nargs="+", type=Path, help="FOLDER…, then the model folder")
    train.add_argument("--whole-frames", type=Path, help="the same files uncropped, to be scored")
    train.add_argument("--pretrain-samples", type=int, help="simulated views (0: none)")
    train.add_argument("--finetune-samples", type=int, help="views per fine-tuning")
    train.add_argument("--folds", type=int, help="folds of the grouped cross-validation")
    train.add_argument(
        "--start-from",
        metavar="FILE|URL|NAME",
        help="weights to begin with: a weight file, a model, an https address, or one of "
        "micronet/… and imagenet-micronet/… with resnet18, resnet50 or densenet121",
    )
    train.add_argument("--work", type=Path, help="folder for unfinished phases")
    train.add_argument(
        "--sources", action="store_true", help="also train without each source, for the card"
    )
    train.add_argument("--note", action="append", default=[], help="a caution or credit")
    train.set_defaults(run=_train)

    info = commands.add_parser("info", help="print what is understood of a micrograph or a model")
    info.add_argument(
        "files", nargs="+", type=Path, help="micrographs, weight files, model folders or names"
    )
    info.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    info.set_defaults(run=_info)
    return parser


def _batch(options: argparse.Namespace) -> int:
    from core.reporting.batch import read_labels, run_batch, write_zip
    from core.reporting.report import write_report

    if not 1 <= options.workers <= 256:
        raise UserError(f"--workers must be from 1 to 256, got {options.workers}.")
    if options.scheduler and options.engine != "dask":
        raise UserError("--scheduler goes with --engine dask.")
    labels = read_labels(_read(options.labels).encode()) if options.labels else None
    try:
        result = run_batch(
            options.inputs,
            _recipe(options),
            options.out,
            engine=options.engine,
            scheduler=options.scheduler,
            workers=options.workers,
            labels=labels,
            resume=options.resume,
            on_progress=None if options.quiet else _progress_bar(),
        )
    except KeyboardInterrupt:
        print(f"\nstopped; go on with --resume --out {options.out}", file=sys.stderr)
        return EXIT_STOPPED
    print(write_report(result, options.out))
    if options.zip:
        target = options.out.with_name(f"{options.out.name}.zip")
        print(shutil.move(write_zip(result), target))
    return EXIT_SOME_FAILED if len(result.failed) else EXIT_OK


def _recipe(options: argparse.Namespace) -> Recipe:
    from core.reporting.recipe import Recipe

    recipe = Recipe.from_json(_read(options.recipe)) if options.recipe else Recipe()
    if options.maps and "maps" not in recipe.pictures:
        recipe = replace(recipe, pictures=(*recipe.pictures, "maps"))
    return recipe


def _progress_bar() -> Callable[[int, int, str], None]:
    """Return a listener that draws one line again and again; a line per step into a file."""
    from core.reporting.batch import Pace

    pace = Pace()

    def show(done: int, total: int, name: str) -> None:
        pace.note(done, total)
        name = "".join(c if c.isprintable() else "?" for c in name)  # no codes for the terminal
        if not sys.stderr.isatty():
            print(f"{pace.words()} · {name}", file=sys.stderr)
            return
        bar = "█" * round(24 * done / total)
        line = f"{bar:<24} {pace.words()} · {name}"[: shutil.get_terminal_size().columns - 1]
        print(f"\r\x1b[K{line}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return show


def _filter(options: argparse.Namespace) -> int:
    from core.reporting.batch import filter_files, read_recipe

    recipe = read_recipe(_read(options.recipe))
    results = filter_files(
        options.inputs, recipe, options.out, others=options.others, kind=options.format
    )
    for one in results:
        print(f"{one.name}: {one.path or one.error}")
    return EXIT_SOME_FAILED if any(one.error for one in results) else EXIT_OK


def _train(options: argparse.Namespace) -> int:
    from core.learning.training import TrainingPlan, train

    *folders, out = options.folders
    if not folders:
        raise UserError("train needs a folder of labelled micrographs and a model folder to write.")
    asked = {
        name: getattr(options, name) for name in ("pretrain_samples", "finetune_samples", "folds")
    }
    plan = TrainingPlan(**{name: value for name, value in asked.items() if value is not None})
    start = _start(options.start_from) if options.start_from else None
    card = train(
        folders,
        out,
        plan=plan,
        whole_frames=options.whole_frames,
        work=options.work,
        notes=options.note,
        sources=options.sources,
        start=start,
    )
    print(json.dumps(card.metrics, indent=2))
    return EXIT_OK


def _start(given: str) -> Start:
    """Return the weights to begin with; what is fetched is kept and not fetched again."""
    from core.learning.models import hub
    from core.learning.training import starting

    if not hub.is_address(given):
        return starting.read_start(Path(given), given)
    found = hub.fetch_once(given, Path(".training") / "weights", on_progress=_fetch_bar())
    return starting.read_start(found, given)


def _fetch_bar() -> Callable[[int, int | None], None]:
    """Return a listener that draws how much has arrived, every tenth into a file."""
    shown = -1

    def show(done: int, total: int | None) -> None:
        nonlocal shown
        tenth = int(10 * done / total) if total else int(done / 10e6)
        if not sys.stderr.isatty() and tenth == shown:
            return
        shown = tenth
        words = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
        begin, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
        done_end = "\n" if done == total else end
        print(f"{begin}fetching: {words}", end=done_end, file=sys.stderr, flush=True)

    return show


def _info(options: argparse.Namespace) -> int:
    from core.imaging.reading import as_table, understand
    from core.learning.models import is_model

    models = [path for path in options.files if is_model(path)]
    found = [understand(path) for path in options.files if path not in models]
    known = _understand_models(models) if models else []
    if options.json:
        entries = [*found, *known]
        print(json.dumps(entries, indent=2, default=str, ensure_ascii=False))
    else:
        _print_models(known)
        if found:
            print(as_table(found))
    failed = any("error" in entry for entry in (*found, *known))
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _understand_models(paths: Sequence[Path]) -> list[dict[str, Any]]:
    from core.learning.models import understand_model

    return [understand_model(path) for path in paths]


def _print_models(entries: Sequence[dict[str, Any]]) -> None:
    if entries:
        from core.learning.models import as_text

        print("\n".join(as_text(entry) for entry in entries))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a text file: {error}.") from error


if __name__ == "__main__":
    sys.exit(main())
