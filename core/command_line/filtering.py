"""`filter`: the chain of filters of a recipe, applied to files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.command_line.exits import EXIT_OK, EXIT_SOME_FAILED
from core.command_line.files import read_text, require
from core.command_line.options import new_command, typed_path


def add(commands: Any) -> None:
    """Add `filter` and its options."""
    filter_ = new_command(
        commands,
        "filter",
        "apply the filters of a recipe to files",
        "data/ --recipe recipe.json --out filtered",
        "a.tif --recipe recipe.json --with flat.tif --format tiff16",
    )
    filter_.add_argument("inputs", nargs="+", type=typed_path, help="files or folders")
    filter_.add_argument("--recipe", type=typed_path, required=True, help="from the Filters page")
    filter_.add_argument(
        "--out", type=typed_path, default=Path("filtered"), help="folder to write to"
    )
    filter_.add_argument(
        "--with",
        type=typed_path,
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
    filter_.set_defaults(run=run, others=[])


def run(options: argparse.Namespace) -> int:
    """Filter files as a recipe says; return the exit code."""
    from core.reporting.batch import filter_files, read_recipe

    recipe = read_recipe(read_text(options.recipe))
    require(*options.inputs, *options.others)
    results = filter_files(
        options.inputs, recipe, options.out, others=options.others, kind=options.format
    )
    for one in results:
        print(f"{one.name}: {one.path or one.error}")
    return EXIT_SOME_FAILED if any(one.error for one in results) else EXIT_OK
