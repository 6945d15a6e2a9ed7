"""The folder a batch leaves behind: tables, pictures, recipe and manifest; and all of it as a ZIP.

No path is ever built from a file name: pictures are called by a running number and what is left
of the name when everything but letters, digits, dash and underscore is taken away.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from core import __version__
from core.errors import UserError
from core.reporting.analysis import Analysis
from core.reporting.recipe import Recipe

PACKAGES = ("numpy", "scipy", "pandas", "scikit-image", "opencv-python-headless", "torch")
LONGEST_STEM = 60
REPORT, MANIFEST = "report.html", "manifest.json"
PICTURE_FOLDERS = ("overlays", "masks")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can hold: the same batch gives the same bytes


def make_folder(folder: Path) -> Path:
    """Return the folder, made with its subfolders where they are missing.

    Manifest and report of an earlier batch are removed: they would speak of files that are about
    to be replaced. Other files are left alone.

    Raises
    ------
    UserError
        If it cannot be made.
    """
    with _told(folder):
        for name in PICTURE_FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        if (folder / MANIFEST).is_file():
            (folder / MANIFEST).unlink()
            (folder / REPORT).unlink(missing_ok=True)
    return folder


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn a failure to write into a sentence."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"The folder {str(folder)!r} cannot be written ({error.strerror}). Choose another one, "
            "or make room."
        ) from error


def safe_stem(name: str) -> str:
    """Return what a file name leaves for a file name of ours: ASCII, short, without dots."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-_")[:LONGEST_STEM] or "micrograph"


def write_pictures(folder: Path, number: int, name: str, analysis: Analysis) -> tuple[str, str]:
    """Write overlay and mask; return their paths relative to the folder."""
    file = f"{number:04d}_{safe_stem(name)}.png"
    overlay, mask = f"overlays/{file}", f"masks/{file}"
    (folder / overlay).write_bytes(analysis.overlay_png)
    (folder / mask).write_bytes(analysis.mask_png)
    return overlay, mask


def write_tables(
    folder: Path,
    rows: pd.DataFrame,
    regions: pd.DataFrame,
    recipe: Recipe,
    model: dict[str, Any],
    pictures: Iterable[str],
) -> tuple[str, ...]:
    """Write tables, recipe and, last, the manifest; return the names of all files.

    Raises
    ------
    UserError
        If they cannot be written.
    """
    texts = {
        "results.csv": csv_bytes(rows),
        "regions.csv": csv_bytes(regions),
        "recipe.json": recipe.to_json().encode(),
    }
    files = (*texts, *pictures)
    with _told(folder):
        for name, content in texts.items():
            (folder / name).write_bytes(content)
        manifest = _manifest(folder, rows, recipe, model, files)
        (folder / MANIFEST).write_text(manifest, encoding="utf-8")
    return (*files, MANIFEST)


def _manifest(
    folder: Path, rows: pd.DataFrame, recipe: Recipe, model: dict[str, Any], files: Iterable[str]
) -> str:
    manifest = {
        "kind": "micrographia-batch",
        "version": 1,
        "micrographs": len(rows),
        "failed": int((rows["status"] == "failed").sum()),
        "recipe": json.loads(recipe.to_json()),
        "model": model,
        "versions": list_versions(),
        "sha256": {name: _digest(folder / name) for name in files},
    }
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8 with a byte order mark, without formulas in its cells.

    A spreadsheet runs a cell that starts like a formula; such text gets an apostrophe in front.
    Numbers stay numbers. The mark makes spreadsheets read µ as µ.
    """
    safe = table.rename(columns=_disarm)
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = safe[column].map(_disarm)
    text: str = safe.to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8-sig")


def list_versions() -> dict[str, str]:
    """Return the versions of Micrographia, Python and the packages that numbers depend on."""
    versions = {"micrographia": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def zip_files(folder: Path, files: Iterable[str]) -> bytes:
    """Return files of a folder as the bytes of a ZIP file; the report is added when there is one.

    The same files always give the same bytes.
    """
    names = list(dict.fromkeys([*([REPORT] if (folder / REPORT).is_file() else []), *files]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = (
                zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            )
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (folder / name).read_bytes())
    return buffer.getvalue()


def _disarm(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    risky = cell.startswith(FORMULA_STARTS) or cell.lstrip().startswith(FORMULA_STARTS)
    plain = re.sub(r"[\x00-\x1f\x7f]+", " ", cell)  # a bare carriage return would split the line
    return "'" + plain if risky else plain


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
