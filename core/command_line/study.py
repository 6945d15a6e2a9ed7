"""`study`: what a study holds, or the same again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.command_line.exits import EXIT_OK, EXIT_SOME_FAILED
from core.command_line.files import require
from core.command_line.json_text import as_json
from core.command_line.options import new_command
from core.command_line.progress import draw_progress
from core.command_line.reports import write_files


def add(commands: Any) -> None:
    """Add `study` and its options."""
    study = new_command(
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
    study.set_defaults(run=run, given=[])


def run(options: argparse.Namespace) -> int:
    """Say what a study holds, or repeat it and compare; return the exit code."""
    from core.reporting.study import compare_rows, open_study, run_study

    require(options.file, *options.given)
    study = open_study(options.file)
    if options.what == "info":
        told = study.told()
        print(as_json(told) if options.json else "\n".join(f"{k}: {v}" for k, v in told.items()))
        return EXIT_OK
    progress = None if options.quiet else draw_progress()
    result = run_study(study, options.out, given=options.given, on_progress=progress)
    write_files(result, None, study)
    if study.results:
        different = compare_rows(study, result)
        print("identical to the last digit" if not different else "\n".join(different[:20]))
        return EXIT_SOME_FAILED if different else EXIT_OK
    return EXIT_SOME_FAILED if len(result.failed) else EXIT_OK
