"""The report of a batch or a repeated study, and its ZIP."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError

if TYPE_CHECKING:
    from core.reporting.batch import BatchResult
    from core.reporting.study import Study


def zip_path(out: Path) -> Path:
    """Return where OUT.zip goes, also when OUT is written as "." or as a root."""
    own = out.resolve()
    target = own.with_name(f"{own.name}.zip") if own.name else own / "report.zip"
    if target.is_dir():
        raise UserError(f"{str(target)!r} is a folder. Move it, or choose another --out.")
    return target


def write_files(result: BatchResult, target: Path | None, said: argparse.Namespace | Study) -> None:
    """Write the report, and the ZIP where one is wanted; `said` has title, authors and note."""
    from core.reporting.batch import hold_folder, write_zip
    from core.reporting.report import About, write_report

    authors = said.author if isinstance(said, argparse.Namespace) else said.authors
    about = About(said.title, tuple(authors), note=said.note)
    with hold_folder(result.out):
        print(write_report(result, result.out, about=about))
        if target is not None:
            print(shutil.move(write_zip(result), target))
