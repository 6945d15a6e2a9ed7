"""`train`: a model from folders with a folder per class."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.command_line.exits import EXIT_OK
from core.command_line.files import require, require_place
from core.command_line.json_text import as_json
from core.command_line.options import new_command, typed_path, whole_number
from core.command_line.progress import draw_fetching, draw_looking
from core.errors import UserError

if TYPE_CHECKING:
    from core.learning.training import Start


def add(commands: Any) -> None:
    """Add `train` and its options."""
    train = new_command(
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
        "folders",
        nargs="+",
        type=typed_path,
        help="FOLDER…; without --out the last is the model folder",
    )
    train.add_argument("--out", type=typed_path, help="model folder to write")
    train.add_argument(
        "--whole-frames", type=typed_path, help="the same files uncropped, to be scored"
    )
    train.add_argument(
        "--pretrain-samples",
        type=whole_number(0),
        nargs="?",
        const=128_000,
        metavar="N",
        help="simulated views before the real ones; without this option none, with it alone "
        "(default: 128000)",
    )
    train.add_argument(
        "--finetune-samples",
        type=whole_number(1),
        help="views per fine-tuning (default: 10000); 9600 for efficientnet-lite0",
    )
    train.add_argument(
        "--folds", type=whole_number(2), help="folds of the grouped cross-validation (default: 5)"
    )
    train.add_argument(
        "--start-from",
        metavar="FILE|URL|NAME",
        help="weights to begin with: a weight file, a model, an https address, "
        "efficientnet-lite0 (from a package), or one of micronet/… and imagenet-micronet/… with "
        "resnet18, resnet50 or densenet121",
    )
    train.add_argument("--work", type=typed_path, help="folder for unfinished phases")
    train.add_argument(
        "--keep-work", action="store_true", help="leave that folder, for a training that goes on"
    )
    train.add_argument(
        "--go-on-from",
        type=typed_path,
        metavar="FOLDER",
        help="a kept work folder of the same pictures: each fold goes on from its own network",
    )
    train.add_argument(
        "--sources", action="store_true", help="also train without each source, for the card"
    )
    train.add_argument(
        "--sources-by-fits",
        action="store_true",
        help="the same by fits as long as the one that is kept, a dozen of them",
    )
    train.add_argument("--note", action="append", help="a caution or credit")
    train.set_defaults(run=run, note=[])


def run(options: argparse.Namespace) -> int:
    """Train and print the scores as JSON; return the exit code."""
    from core.learning.training import plan_for, train

    *folders, out = options.folders if options.out is None else [*options.folders, options.out]
    if not folders:
        raise UserError("train needs a folder of labelled micrographs and a model folder to write.")
    require(*folders, *([options.whole_frames] if options.whole_frames else []))
    for place in (out, *([options.work] if options.work else [])):
        require_place(place)
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
        sources_by_fits=options.sources_by_fits,
        start=start,
        earlier=options.go_on_from,
        keep_work=options.keep_work,
    )
    print(as_json(card.metrics))
    return EXIT_OK


def _train_quickly(options: argparse.Namespace, folders: Sequence[Path], out: Path) -> int:
    """Learn a linear head and write the model folder; what speaks against the pictures is said."""
    from core.learning.models import load_model
    from core.learning.training import quick, read_labelled_folders

    refused = (
        *("pretrain_samples", "finetune_samples", "folds", "whole_frames", "sources", "work"),
        *("sources_by_fits", "keep_work", "go_on_from"),
    )
    if others := [f"--{name.replace('_', '-')}" for name in refused if getattr(options, name)]:
        raise UserError(f"{', '.join(others)} cannot go with --quick: no layer is trained there.")
    pictures = sorted(read_labelled_folders(folders), key=lambda picture: picture.label)
    start = load_model(options.start_from or quick.default_start())
    looks = quick.look(start, [picture.micrograph for picture in pictures], draw_looking())
    for finding in quick.check_pictures(pictures, looks):
        print(f"{'!' if finding.grave else '·'} {finding.text}", file=sys.stderr)
    name = out.resolve().name
    classifier = quick.learn(pictures, start=start, name=name, notes=options.note)
    card = quick.save_quick(classifier, out)
    print(quick.say_score(card), file=sys.stderr)
    print(as_json(card.metrics))
    return EXIT_OK


def _start(given: str) -> Start:
    """Return the weights to begin with; what is fetched is kept and not fetched again."""
    from core.learning.models import hub
    from core.learning.training import starting

    if not hub.is_address(given):
        return starting.read_start(Path(given), given)
    found = hub.fetch_once(given, Path(".training") / "weights", on_progress=draw_fetching())
    return starting.read_start(found, given)
