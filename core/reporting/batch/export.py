"""The folder a batch leaves behind: tables, pictures, recipe and manifest; and all of it as a ZIP.

No path is ever built from a file name: pictures are called by a running number and what is left
of the name when everything but letters, digits, dash and underscore is taken away.
"""

from __future__ import annotations

import json
import platform
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from core import __version__
from core.errors import Unwritable
from core.imaging.display import file_stem
from core.learning.models import file_digest
from core.reporting.batch.journal import FILE, FOLDER, LONGEST_STEM, OURS, Journal
from core.reporting.batch.rows.tidy.columns import dictionary
from core.reporting.batch.rows.tidy.spreadsheet import csv_bytes, written
from core.reporting.batch.rows.tidy.tables import (
    CLUSTERS,
    COLUMNS,
    FIELDS,
    PROBABILITIES,
    REGIONS,
    tidy,
    tidy_tables,
)
from core.reporting.recipe import Recipe

PACKAGES = ("numpy", "scipy", "pandas", "scikit-image", "opencv-python-headless", "torch")
REPORT, MANIFEST = "report.html", "manifest.json"
TWINS = "twins.csv"
ENDINGS = {
    "overlays": "png",
    "masks": "png",
    "maps": "npy",
    "labels": "tif",
    "rois": "zip",
    "geojson": "geojson",
    "coco": "json",
}
MOST_TOGETHER = 5000  # regions that are written at once
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can hold: the same batch gives the same bytes


def make_folder(folder: Path) -> Path:
    """Return the folder, made where it is missing.

    Raises
    ------
    UserError
        If it cannot be made.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def clear_folder(folder: Path, *, keep: bool = False) -> None:
    """Remove what an earlier batch left and would no longer be true.

    Manifest and report of an earlier batch are removed with the pictures that it or its journal
    names, even if it was killed: they would speak of files that are about to be replaced. With
    `keep` the pictures stay, to be gone on with. Other files are left alone.

    Raises
    ------
    UserError
        If it cannot be written.
    """
    with writing(folder):
        for name in () if keep else _old_pictures(folder):
            (folder / name).unlink(missing_ok=True)
        if (folder / MANIFEST).is_file():
            (folder / MANIFEST).unlink()
            for name in (REPORT, TWINS):
                (folder / name).unlink(missing_ok=True)


def _old_pictures(folder: Path) -> list[str]:
    """Return the pictures of an earlier batch, as far as their names are of our making."""
    try:
        named = list(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"])
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        named = []
    if (folder / FOLDER / FILE).is_file():
        named += [name for entry in Journal(folder).entries() for name in entry["files"]]
    return [name for name in named if OURS.fullmatch(name)]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a failure to write into a sentence; raises Unwritable."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unwritable(
            f"The folder {str(folder)!r} cannot be written ({reason}). Choose another one, or make "
            "room; --resume then goes on where it stopped.",
            reason,
        ) from error


def safe_stem(name: str) -> str:
    """Return what a file name leaves for a file name of ours: ASCII, short, without dots."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0].replace(".", "-")
    return file_stem(stem, joint="-", ascii_only=True, longest=LONGEST_STEM)


def write_pictures(
    folder: Path, number: int, name: str, pictures: Mapping[str, bytes]
) -> tuple[str, ...]:
    """Write the pictures of one micrograph; return their paths relative to the folder.

    Raises
    ------
    UserError
        If they cannot be written.
    """
    files = []
    with writing(folder):
        for kind, content in pictures.items():
            file = f"{kind}/{number:04d}_{safe_stem(name)}.{ENDINGS[kind]}"
            (folder / kind).mkdir(exist_ok=True)
            (folder / file).write_bytes(content)
            files.append(file)
    return tuple(files)


def write_tables(
    folder: Path,
    rows: pd.DataFrame,
    regions: Iterable[pd.DataFrame],
    recipe: Recipe,
    model: dict[str, Any],
    pictures: Iterable[str],
    times: dict[str, Any],
    given: int,
) -> tuple[str, ...]:
    """Write tables, recipe and, last, the manifest; return the names of all files.

    `regions` come one micrograph at a time and are never all in memory.

    Raises
    ------
    UserError
        If they cannot be written.
    """
    names = ("results.csv", "results.parquet", "regions.csv", "recipe.json")
    files = (*names, COLUMNS, FIELDS, PROBABILITIES, CLUSTERS, REGIONS, *pictures)
    with writing(folder):
        (folder / names[0]).write_bytes(csv_bytes(rows))
        # Through a file of Python's: the library takes no name that is not UTF-8.
        with (folder / names[1]).open("wb") as stream:
            _encodable(rows).to_parquet(stream, engine="pyarrow", index=False)
        _write_regions((folder / names[2], folder / REGIONS), regions)
        _write_tidy(folder, rows, model["classes"])
        (folder / names[3]).write_bytes(recipe.to_json().encode())
        manifest = {
            "kind": "micrographia-batch",
            "version": 2,
            "given": given,
            "micrographs": len(rows),
            "failed": int((rows["status"] == "failed").sum()),
            "recipe": json.loads(recipe.to_json()),
            "model": model,
            "versions": list_versions(),
            "times": times,
            "inputs": dict(zip(_inputs(rows), rows["sha256"].fillna(""), strict=True)),
            "sha256": {name: file_digest(folder / name) for name in files},
        }
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        (folder / MANIFEST).write_bytes(text.encode("utf-8", errors="replace"))
    return (*files, MANIFEST)


def _encodable(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose text is Unicode: a file name may hold bytes that are none."""
    text = [name for name in rows.columns if rows[name].dtype.kind == "O"]
    clean = rows.copy()
    for name in text:
        clean[name] = clean[name].map(lambda cell: written(cell) if isinstance(cell, str) else cell)
    return clean


def _inputs(rows: pd.DataFrame) -> Iterator[str]:
    """Yield a name per row, numbered, since two files may be called alike."""
    for number, name in zip(rows["number"], rows["name"], strict=True):
        yield f"{number} {name}"


def _write_regions(paths: tuple[Path, Path], regions: Iterable[pd.DataFrame]) -> None:
    """Write the regions with every digit, and as other programs like them."""
    from core.reporting.batch.rows.tabulation import no_regions

    paths[1].parent.mkdir(exist_ok=True)
    with paths[0].open("wb") as exact, paths[1].open("wb") as plain:
        exact.write(csv_bytes(no_regions()))
        plain.write(csv_bytes(tidy(no_regions())))
        for frame in _together(regions):
            exact.write(csv_bytes(frame, head=False))
            plain.write(csv_bytes(tidy(frame), head=False))


def _together(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield several frames as one where their columns are alike: writing one costs as much.

    Few enough that they are never all in memory.
    """
    held: list[pd.DataFrame] = []
    rows = 0
    for frame in (each for each in frames if len(each)):
        if held and (rows > MOST_TOGETHER or not frame.dtypes.equals(held[0].dtypes)):
            yield pd.concat(held, ignore_index=True)
            held, rows = [], 0
        held.append(frame)
        rows += len(frame)
    if held:
        yield pd.concat(held, ignore_index=True)


def _write_tidy(folder: Path, rows: pd.DataFrame, classes: Sequence[str]) -> None:
    """Write what each micrograph has one of and several of, and what all columns mean."""
    from core.reporting.batch.rows.tabulation import no_regions

    tables = tidy_tables(rows, classes)
    for name, table in tables.items():
        (folder / name).write_bytes(csv_bytes(tidy(table)))
    regions = no_regions()
    all_tables = {"results.csv": rows, "regions.csv": regions, **tables, REGIONS: regions}
    (folder / COLUMNS).write_bytes(csv_bytes(dictionary(all_tables.items())))


def list_versions() -> dict[str, str]:
    """Return the versions of Micrographia, Python and the packages that numbers depend on."""
    versions = {"micrographia": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def zip_files(folder: Path, files: Iterable[str], path: Path) -> None:
    """Write files of a folder into a ZIP file; the report is added when there is one.

    The same files always give the same bytes. No file is ever in memory as a whole.
    """
    names = list(dict.fromkeys([*([REPORT] if (folder / REPORT).is_file() else []), *files]))
    with writing(folder), zipfile.ZipFile(path, "w") as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, EPOCH)
            packed = name.endswith((".png", ".parquet", ".zip"))
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.file_size = (folder / name).stat().st_size
            with (folder / name).open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
