"""`info`: what is understood of a micrograph or a model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.command_line.exits import EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE
from core.command_line.files import exists
from core.command_line.json_text import as_json
from core.command_line.options import add_stated, new_command, typed_path


def add(commands: Any) -> None:
    """Add `info` and its options."""
    info = new_command(
        commands,
        "info",
        "print what is understood of a micrograph or a model",
        "a.tif b.dm4",
        "models/em-morph5-2 --json",
    )
    info.add_argument(
        "files",
        nargs="+",
        type=typed_path,
        help="micrographs, weight files, model folders or names",
    )
    add_stated(info)
    info.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    info.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what is understood of files; return the exit code."""
    from core.imaging.reading import as_table, understand
    from core.learning.models import is_model

    models = [path for path in options.files if is_model(path)]
    found = [understand(path) for path in options.files if path not in models]
    known = _understand_models(models, options) if models else []
    if options.json:
        entries = [*found, *known]
        print(as_json(entries))
    else:
        _print_models(known)
        if found:
            print(as_table(found))
    if not all(exists(path) for path in options.files if path not in models):
        return EXIT_USAGE
    failed = any("error" in entry for entry in (*found, *known))
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _understand_models(paths: Sequence[Path], options: argparse.Namespace) -> list[dict[str, Any]]:
    from core.learning.models import understand_model

    several = None if options.classes is None else options.classes == "several"
    return [understand_model(path, options.prepare, several) for path in paths]


def _print_models(entries: Sequence[dict[str, Any]]) -> None:
    if entries:
        from core.learning.models import as_text

        print("\n".join(as_text(entry) for entry in entries))
