"""The command line, `python -m core batch|study|filter|train|info`: the app's core, headless."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError

if TYPE_CHECKING:
    from core.learning.training import Start
    from core.reporting.batch import BatchResult
    from core.reporting.recipe import Picture, Recipe
    from core.reporting.study import Study

MOST_TEXT_BYTES = 6_000_000  # of a recipe or a table of labels; their readers want less
_MOST = 10**9  # views of a training: years
EXIT_OK, EXIT_USAGE, EXIT_SOME_FAILED, EXIT_STOPPED = 0, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code.

    0 done, 2 wrong use, 3 some micrographs failed, 130 stopped by the keyboard.
    """
    _make_printable()
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return EXIT_STOPPED
    except BrokenPipeError:  # whoever reads our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"error: {error.strerror or type(error).__name__}{where}.", file=sys.stderr)
        return EXIT_USAGE


def _make_printable() -> None:
    """Let names that the terminal cannot show come out as escapes, not as an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Options with the defaults that they have, and examples as they are written."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        is_set = action.default not in (None, False, [])
        return super()._get_help_string(action) if is_set else action.help


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core",
        description=__doc__,
        formatter_class=_Help,
        epilog="Exit codes: 0 done, 2 wrong use, 3 some micrographs failed, 130 stopped.",
    )
    commands = parser.add_subparsers(required=True, metavar="batch|study|filter|train|info")
    for add in (_add_batch, _add_study, _add_filter, _add_train, _add_info):
        add(commands)
    return parser


def _command(commands: Any, name: str, what: str, *examples: str) -> argparse.ArgumentParser:
    lines = "\n".join(f"  python -m core {name} {example}" for example in examples)
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"examples:\n{lines}",
        formatter_class=_Help,
    )
    return parser


def _path(text: str) -> Path:
    """Return what was typed as a path; nothing, as of an unset variable, is not the folder here."""
    if not text:
        raise argparse.ArgumentTypeError('a path is empty; write "." for the folder one is in')
    return Path(text)


def _count(least: int) -> Callable[[str], int]:
    """Return what reads a whole number from `least` on."""

    def read(text: str) -> int:
        with contextlib.suppress(ValueError):
            if least <= (number := int(text)) <= _MOST:
                return number
        raise argparse.ArgumentTypeError(f"a whole number from {least} on is wanted, not {text!r}")

    return read


def _add_batch(commands: Any) -> None:
    batch = _command(
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
    batch.add_argument("inputs", nargs="+", type=_path, help="files, folders or ZIPs")
    batch.add_argument("--out", type=_path, default=Path("report"), help="folder for the report")
    batch.add_argument("--recipe", type=_path, help="settings as JSON; defaults otherwise")
    batch.add_argument(
        "--labels",
        type=_path,
        help="CSV with the columns name and label, or a corrected results.csv",
    )
    batch.add_argument(
        "--with",
        type=_path,
        nargs="+",
        dest="others",
        metavar="FILE",
        help="flat field, or picture whose histogram is matched, where the recipe names one that "
        "is not among the inputs; not analysed",
    )
    batch.add_argument(
        "--model", help="a model's name, a model folder or a weight file, instead of the recipe's"
    )
    _add_prepare(batch)
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
    batch.add_argument("--title", default="", help="of the report and the study")
    batch.add_argument("--author", action="append", help="of both; may be given several times")
    batch.add_argument("--note", default="", help="a paragraph below the title")
    batch.add_argument("--maps", action="store_true", help="keep the heat maps as NPY, too")
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
    batch.set_defaults(run=_batch, others=[], author=[])


def _add_study(commands: Any) -> None:
    study = _command(
        commands,
        "study",
        "open a study that the app or a batch saved, or repeat it",
        "info silver.micrographia.zip",
        "run silver.micrographia.zip --out repeated",
        "run silver.micrographia.zip --given data/",
    )
    study.add_argument("what", choices=("info", "run"), help="say what it holds, or repeat it")
    study.add_argument("file", type=Path, help="a .micrographia.zip, or the folder it lies in")
    study.add_argument("--out", type=Path, default=Path("report"), help="folder for the report")
    study.add_argument(
        "--given",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="where the micrographs lie that the study names and does not hold",
    )
    study.add_argument("--json", action="store_true", help="info as JSON instead of words")
    study.add_argument("--quiet", action="store_true", help="no progress bar")
    study.set_defaults(run=_study, given=[])


def _add_filter(commands: Any) -> None:
    filter_ = _command(
        commands,
        "filter",
        "apply the filters of a recipe to files",
        "data/ --recipe recipe.json --out filtered",
        "a.tif --recipe recipe.json --with flat.tif --format tiff16",
    )
    filter_.add_argument("inputs", nargs="+", type=_path, help="files or folders")
    filter_.add_argument("--recipe", type=_path, required=True, help="from the Filters page")
    filter_.add_argument("--out", type=_path, default=Path("filtered"), help="folder to write to")
    filter_.add_argument(
        "--with",
        type=_path,
        nargs="+",
        dest="others",
        metavar="FILE",
        help="flat field, or picture whose histogram is matched, where the recipe names one",
    )
    filter_.add_argument(
        "--format",
        choices=("tiff", "tiff16", "png"),
        default="tiff",
        help="tiff keeps the depth of the result, tiff16 has 16 bits, png holds no pixel size",
    )
    filter_.set_defaults(run=_filter, others=[])


def _add_train(commands: Any) -> None:
    train = _command(
        commands,
        "train",
        "train a model on folders with a folder per class",
        "labelled/ --out models/mine",
        "lab_a/ lab_b/ --out models/mine --folds 5 --sources",
        "labelled/ models/mine",
        "labelled/ --out models/mine --quick",
    )
    train.add_argument(
        "--quick",
        action="store_true",
        help="own classes in a minute: a new linear head on the frozen features of a model (the "
        "shipped one, or that of --start-from); no layer is trained",
    )
    train.add_argument(
        "folders", nargs="+", type=_path, help="FOLDER…; without --out the last is the model folder"
    )
    train.add_argument("--out", type=_path, help="model folder to write")
    train.add_argument("--whole-frames", type=_path, help="the same files uncropped, to be scored")
    train.add_argument(
        "--pretrain-samples",
        type=_count(0),
        nargs="?",
        const=128_000,
        metavar="N",
        help="simulated views before the real ones; without this option none, with it alone "
        "(default: 128000)",
    )
    train.add_argument(
        "--finetune-samples",
        type=_count(1),
        help="views per fine-tuning (default: 10000); 5000 for efficientnet-lite0",
    )
    train.add_argument(
        "--folds", type=_count(2), help="folds of the grouped cross-validation (default: 5)"
    )
    train.add_argument(
        "--start-from",
        metavar="FILE|URL|NAME",
        help="weights to begin with: a weight file, a model, an https address, "
        "efficientnet-lite0 (from a package), or one of micronet/… and imagenet-micronet/… with "
        "resnet18, resnet50 or densenet121",
    )
    train.add_argument("--work", type=_path, help="folder for unfinished phases")
    train.add_argument(
        "--keep-work", action="store_true", help="leave that folder, for a training that goes on"
    )
    train.add_argument(
        "--go-on-from",
        type=_path,
        metavar="FOLDER",
        help="a kept work folder of the same pictures: each fold goes on from its own network",
    )
    train.add_argument(
        "--sources", action="store_true", help="also train without each source, for the card"
    )
    train.add_argument("--note", action="append", help="a caution or credit")
    train.set_defaults(run=_train, note=[])


def _add_info(commands: Any) -> None:
    info = _command(
        commands,
        "info",
        "print what is understood of a micrograph or a model",
        "a.tif b.dm4",
        "models/em-morph5-2 --json",
    )
    info.add_argument(
        "files", nargs="+", type=_path, help="micrographs, weight files, model folders or names"
    )
    _add_prepare(info)
    info.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    info.set_defaults(run=_info)


def _add_prepare(command: Any) -> None:
    command.add_argument(
        "--prepare",
        default="",
        metavar="HOW",
        help="how frames are prepared for a network from elsewhere whose file does not say it: "
        "imagenet, imagenet-whole, 0-1, 0-1-whole, plus-minus-1, plus-minus-1-whole, 0-255, "
        "visual-ccc, standardised, or size=224,short=256,mean=0.5,std=0.5",
    )


def _require(*paths: Path) -> None:
    """Refuse paths at which there is nothing, before the work begins."""
    for path in paths:
        if not _exists(path):
            raise UserError(f"There is nothing at {str(path)!r}. Check the path.")


def _require_place(path: Path) -> None:
    """Refuse a folder that can never be made, before the hours whose result it is to take."""
    there = next((one for one in (path, *path.absolute().parents) if _exists(one)), path)
    if not there.is_dir():
        raise UserError(f"{str(there)!r} is a file. Choose another folder to write to.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"{str(there)!r} may not be written to. Choose another folder.")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no name of a file
        return False


def _batch(options: argparse.Namespace) -> int:
    from core.reporting.batch import read_labels, run_batch

    if not 1 <= options.workers <= 256:
        raise UserError(f"--workers must be from 1 to 256, got {options.workers}.")
    if options.scheduler and options.engine != "dask":
        raise UserError("--scheduler goes with --engine dask.")
    _require(*options.inputs, *options.others)
    target = _zip_path(options.out) if options.zip else None
    labels = read_labels(_bytes(options.labels)) if options.labels else None
    asked = {
        "engine": options.engine,
        "scheduler": options.scheduler,
        "workers": options.workers,
        "labels": labels,
        "others": options.others,
        "resume": options.resume,
        "on_progress": None if options.quiet else _progress_bar(),
    }

    def take_home(result: BatchResult) -> None:
        if labels:
            _say_what_matched(result, labels)
        _write_report(result, target, options)
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


def _study(options: argparse.Namespace) -> int:
    from core.reporting.study import compare_rows, open_study, run_study

    _require(options.file, *options.given)
    study = open_study(options.file)
    if options.what == "info":
        told = study.told()
        print(_as_json(told) if options.json else "\n".join(f"{k}: {v}" for k, v in told.items()))
        return EXIT_OK
    progress = None if options.quiet else _progress_bar()
    result = run_study(study, options.out, given=options.given, on_progress=progress)
    _write_report(result, None, study)
    if study.results:
        different = compare_rows(study, result)
        print("identical to the last digit" if not different else "\n".join(different[:20]))
        return EXIT_SOME_FAILED if different else EXIT_OK
    return EXIT_SOME_FAILED if len(result.failed) else EXIT_OK


def _zip_path(out: Path) -> Path:
    """Return where OUT.zip goes, also when OUT is written as "." or as a root."""
    own = out.resolve()
    target = own.with_name(f"{own.name}.zip") if own.name else own / "report.zip"
    if target.is_dir():
        raise UserError(f"{str(target)!r} is a folder. Move it, or choose another --out.")
    return target


def _write_report(
    result: BatchResult, target: Path | None, said: argparse.Namespace | Study
) -> None:
    """Write the report, and the ZIP where one is wanted; `said` has title, authors and note."""
    from core.reporting.batch import hold_folder, write_zip
    from core.reporting.report import About, write_report

    authors = said.author if isinstance(said, argparse.Namespace) else said.authors
    about = About(said.title, tuple(authors), note=said.note)
    with hold_folder(result.out):
        print(write_report(result, result.out, about=about))
        if target is not None:
            print(shutil.move(write_zip(result), target))


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

    recipe = Recipe.from_json(_read(options.recipe)) if options.recipe else Recipe()
    more: list[Picture] = ["maps"] if options.maps else []
    more += ["labels", "rois"] if options.study else []
    added = tuple(kind for kind in more if kind not in recipe.pictures)
    if added:
        recipe = replace(recipe, pictures=(*recipe.pictures, *added))
    if options.model is not None:
        recipe = replace(recipe, model=options.model, model_sha256="")
    if options.prepare:
        recipe = replace(recipe, prepare=options.prepare)
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
        _require(Path(given))
        return {"samples": tuple(read_samples(_bytes(Path(given))).items())}
    try:
        return {"sample_from": Recipe(sample_from=given).sample_from}
    except ValueError as error:
        raise UserError(f"--samples cannot be used: {error}.") from error


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
    _require(*options.inputs, *options.others)
    results = filter_files(
        options.inputs, recipe, options.out, others=options.others, kind=options.format
    )
    for one in results:
        print(f"{one.name}: {one.path or one.error}")
    return EXIT_SOME_FAILED if any(one.error for one in results) else EXIT_OK


def _train(options: argparse.Namespace) -> int:
    from core.learning.training import plan_for, train

    *folders, out = options.folders if options.out is None else [*options.folders, options.out]
    if not folders:
        raise UserError("train needs a folder of labelled micrographs and a model folder to write.")
    _require(*folders, *([options.whole_frames] if options.whole_frames else []))
    for place in (out, *([options.work] if options.work else [])):
        _require_place(place)
    if out.resolve() in {folder.resolve() for folder in folders}:
        raise UserError("The model folder is one of the labelled ones. Choose another one.")
    if options.quick:
        return _train_quickly(options, folders, out)
    asked = {
        name: getattr(options, name) for name in ("pretrain_samples", "finetune_samples", "folds")
    }
    start = _start(options.start_from) if options.start_from else None
    if asked["pretrain_samples"] is None:  # hours that nobody asked for
        asked["pretrain_samples"] = 0
        said = "no simulated views come first; --pretrain-samples 128000 asks for them"
        print(said, file=sys.stderr)
    given = {name: value for name, value in asked.items() if value is not None}
    plan = plan_for(start, goes_on=options.go_on_from is not None, **given)
    if options.go_on_from is not None and not plan.still_blocks:
        raise UserError(
            "--go-on-from needs --start-from efficientnet-lite0, as the earlier training had."
        )
    card = train(
        folders,
        out,
        plan=plan,
        whole_frames=options.whole_frames,
        work=options.work,
        notes=options.note,
        sources=options.sources,
        start=start,
        earlier=options.go_on_from,
        keep_work=options.keep_work,
    )
    print(_as_json(card.metrics))
    return EXIT_OK


def _train_quickly(options: argparse.Namespace, folders: Sequence[Path], out: Path) -> int:
    """Learn a linear head and write the model folder; what speaks against the pictures is said."""
    from core.learning.models import load_model
    from core.learning.training import quick, read_labelled_folders

    refused = (
        *("pretrain_samples", "finetune_samples", "folds", "whole_frames", "sources", "work"),
        *("keep_work", "go_on_from"),
    )
    if others := [f"--{name.replace('_', '-')}" for name in refused if getattr(options, name)]:
        raise UserError(f"{', '.join(others)} cannot go with --quick: no layer is trained there.")
    pictures = sorted(read_labelled_folders(folders), key=lambda picture: picture.label)
    start = load_model(options.start_from or quick.default_start())
    looks = quick.look(start, [picture.micrograph for picture in pictures], _looking())
    for finding in quick.check_pictures(pictures, looks):
        print(f"{'!' if finding.grave else '·'} {finding.text}", file=sys.stderr)
    name = out.resolve().name
    classifier = quick.learn(pictures, start=start, name=name, notes=options.note)
    card = quick.save_quick(classifier, out)
    print(quick.say_score(card), file=sys.stderr)
    print(_as_json(card.metrics))
    return EXIT_OK


def _looking() -> Callable[[int, int], None]:
    """Return a listener that says how many pictures were looked at, and about how long is left."""
    began = time.monotonic()

    def show(done: int, total: int) -> None:
        left = (time.monotonic() - began) / done * (total - done)
        begin, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
        if sys.stderr.isatty() or done % 10 == 0 or done == total:
            words = f"looked at {done} of {total} pictures, about {left:.0f} s left"
            print(
                f"{begin}{words}", end="\n" if done == total else end, file=sys.stderr, flush=True
            )

    return show


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
    known = _understand_models(models, options.prepare) if models else []
    if options.json:
        entries = [*found, *known]
        print(_as_json(entries))
    else:
        _print_models(known)
        if found:
            print(as_table(found))
    if not all(_exists(path) for path in options.files if path not in models):
        return EXIT_USAGE
    failed = any("error" in entry for entry in (*found, *known))
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _as_json(value: object) -> str:
    """Return JSON that every parser takes, in what the terminal can show."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return json.dumps(_plain(value), indent=2, ensure_ascii=encoding != "utf8", allow_nan=False)


def _plain(value: object) -> Any:
    """Return a value as JSON holds it: no NaN, keys of text, no bytes that are no text."""
    if isinstance(value, Mapping):
        return {str(_plain(str(key))): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bool | int | None):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return os.fsencode(str(value)).decode(errors="backslashreplace")


def _understand_models(paths: Sequence[Path], prepare: str) -> list[dict[str, Any]]:
    from core.learning.models import understand_model

    return [understand_model(path, prepare) for path in paths]


def _print_models(entries: Sequence[dict[str, Any]]) -> None:
    if entries:
        from core.learning.models import as_text

        print("\n".join(as_text(entry) for entry in entries))


def _read(path: Path) -> str:
    try:
        return _bytes(path).decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} cannot be read as a text file: {error}.") from error


def _bytes(path: Path) -> bytes:
    """Return a file's bytes; of one that is far too large only as many as say so."""
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_TEXT_BYTES)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a text file: {error}.") from error


if __name__ == "__main__":
    sys.exit(main())
