"""Micrographs, what people said of them, recipe and results -> one file, byte for byte the same."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import IO, Any

from core.errors import Unwritable, UserError
from core.imaging.display import file_stem, save_tiff_bytes
from core.imaging.reading import MAX_FILE_MB
from core.reporting.batch import BatchResult, GivenSource
from core.reporting.recipe import Recipe
from core.reporting.study import collecting, crate, notebook
from core.reporting.study.collecting import Pair, Said
from core.reporting.study.model import Member, Study
from core.reporting.study.opening import ROWS, STUDY
from core.reporting.study.versions import KIND, VERSION

SUFFIX = ".micrographia.zip"
NOTEBOOK, RECIPE = "study.ipynb", "recipe.json"
_TABLES = ("results.csv", "regions.csv", "columns.csv", "twins.csv")
_PICTURES = ("labels", "rois", "masks", "geojson", "coco")  # heat maps can be made again
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can hold
_PACKED = (".png", ".zip")
_WORDS = ("title", "date", "note", "license", "citation")


def save_study(
    given: Study | BatchResult | Iterable[GivenSource] | GivenSource,
    out: str | PathLike[str],
    *,
    recipe: Recipe | None = None,
    result: BatchResult | None = None,
    contain: bool = True,
    samples: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    notes: Mapping[str, Mapping[str, Any]] | None = None,
    settings: Mapping[str, str] | None = None,
    **words: Any,
) -> Path:
    """Write a study and return its path; the same study gives the same bytes.

    Parameters
    ----------
    given : Study, BatchResult, or sources as `run_batch` takes them
        A study is written as it is, with the words given here in place of its own. Of a batch's
        result alone the digests are kept and no pixels: give its micrographs, and the result as
        `result`, to take them along.
    out : path
        The file; ".micrographia.zip" is added where it does not end in ".zip".
    recipe : Recipe, optional
        That of the result by default, with what was decided for each sample.
    result : BatchResult, optional
        Its rows, regions, label images and ROIs are taken along.
    contain : bool
        Take the pixels along, lossless; else the digests only, and a run is given the folder.
    samples, labels : mapping, optional
        Name of a micrograph to its sample, and to its class; else as the recipe finds them.
    notes : mapping, optional
        Digest of a micrograph to what a hand did to it: "region", "shapes", "strokes", "edits",
        each a JSON value.
    settings : mapping, optional
        Settings of the pages, as a link writes them.
    **words
        title, note, license (an address or words), citation, date ("2026-11-28"; that of the
        batch or today by default): text; authors: texts.

    Returns
    -------
    Path
        Of the study.

    Raises
    ------
    UserError
        If there is nothing to save, it becomes larger than what can be opened again, or the file
        cannot be written.
    TypeError
        If a word is none of those.
    """
    target = Path(out)
    if not target.name.endswith(".zip"):
        target = target.with_name(target.name + SUFFIX)
    said = _said(words)
    if isinstance(given, BatchResult):
        result = given
    if isinstance(given, Study):
        study, pairs = replace(given, **said), collecting.of_study(given)
    else:
        known = recipe or (result.recipe if result is not None else Recipe())
        study = replace(_shell(known, result, settings or {}), **said)
        if isinstance(given, BatchResult):
            pairs = collecting.of_result(given, labels or {})
        else:
            told = Said(known, samples or {}, labels or {}, notes or {})
            pairs = collecting.of_sources(collecting.listed(given), told)
    with _replacing(target) as stream:
        _write(stream, study, pairs, result, contain)
        size = stream.tell()
        if size > MAX_FILE_MB * 1_000_000:
            raise UserError(
                f"The study would be {size / 1e6:.0f} MB, and at most {MAX_FILE_MB} MB are opened "
                "again. Save it without the micrographs: a run is then given their folder."
            )
    return target


def study_bytes(
    given: Study | BatchResult | Iterable[GivenSource] | GivenSource, **options: Any
) -> bytes:
    """Return the file that `save_study` would write; the parameters are the same."""
    with tempfile.TemporaryDirectory(prefix="micrographia_") as folder:
        return save_study(given, Path(folder) / f"study{SUFFIX}", **options).read_bytes()


def _said(words: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := sorted(words.keys() - {*_WORDS, "authors"}):
        raise TypeError(f"a study has no {unknown[0]}")
    return {name: tuple(v) if name == "authors" else str(v) for name, v in words.items() if v}


def _shell(recipe: Recipe, result: BatchResult | None, settings: Mapping[str, str]) -> Study:
    """Return the study without its micrographs."""
    if result is None:
        today = datetime.now(UTC).date().isoformat()
        return Study((), recipe, date=today, settings=dict(settings))
    return Study(
        (),
        recipe,
        date=str(result.times["finished"])[:10],
        settings=dict(settings),
        results=collecting.columns(result.rows),
        model={name: collecting.plain(each) for name, each in result.model.items()},
    )


@contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes the target's place when all is well, and goes when not."""
    part = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=target.parent)
        part = Path(name)
        with os.fdopen(handle, "w+b") as stream:
            yield stream
        part.chmod(0o644)
        part.replace(target)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unwritable(
            f"The study {str(target)!r} cannot be written ({reason}). Choose another folder.",
            reason,
        ) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


@dataclass(slots=True)
class _Writer:
    """Writes files into the ZIP and remembers how large they are, for the crate."""

    archive: zipfile.ZipFile
    sizes: dict[str, int] = field(default_factory=dict)

    def write(self, name: str, data: bytes) -> None:
        """Write one file, always with the same time."""
        entry = zipfile.ZipInfo(name, _EPOCH)
        packed = name.endswith(_PACKED)
        entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        self.archive.writestr(entry, data)
        self.sizes[name] = len(data)

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON value."""
        text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        self.write(name, text.encode(errors="replace"))


def _write(
    stream: IO[bytes],
    study: Study,
    pairs: Iterable[Pair],
    result: BatchResult | None,
    contain: bool,
) -> None:
    with zipfile.ZipFile(stream, "w") as archive:
        writer = _Writer(archive)
        members = _write_micrographs(writer, pairs, contain)
        if not members:
            raise UserError("There is no micrograph to save: load one that can be read.")
        study = replace(study, members=tuple(members))
        writer.write(RECIPE, study.recipe.to_json().encode())
        if study.results:
            writer.write_json(ROWS, study.results)
        _write_results(writer, study, result)
        writer.write_json(STUDY, _as_json(study, writer))
        writer.write_json(NOTEBOOK, notebook.write(study))
        writer.write_json(crate.FILE, crate.write(study, writer.sizes))


def _write_micrographs(writer: _Writer, pairs: Iterable[Pair], contain: bool) -> list[Member]:
    """Write pixels, each content once, and beside them what is said of each."""
    members: list[Member] = []
    held: dict[str, str] = {}
    for number, (member, one) in enumerate(pairs, start=1):
        stem = f"{number:04d}_{file_stem(member.name, joint='-', ascii_only=True)}"
        file = ""
        if contain and one is not None:
            key = f"{member.pixels_sha256} {member.pixel_size!r}"
            file = held.get(key, f"micrographs/{stem}.tif")
            if key not in held:
                writer.write(file, save_tiff_bytes(one))
                held[key] = file
        said = {"metadata": member.metadata, "notes": member.notes}
        if any(said.values()):
            writer.write_json(f"micrographs/{stem}.json", said)
        members.append(replace(member, file=file))
    return members


def _write_results(writer: _Writer, study: Study, result: BatchResult | None) -> None:
    """Take over tables, label images and ROIs of a batch, or those of the study opened before."""
    if result is not None:
        wanted = [name for name in result.files if name.split("/")[0] in _PICTURES]
        for name in sorted([*_TABLES, *wanted]):
            if (result.out / name).is_file():
                writer.write(f"results/{name}", (result.out / name).read_bytes())
    elif study.opener is not None:
        for name in study.files:  # sorted
            if name.startswith("results/") and name != ROWS:
                writer.write(name, study.opener.read(name))


def _as_json(study: Study, writer: _Writer) -> dict[str, Any]:
    return {
        "kind": KIND,
        "version": VERSION,
        **{name: getattr(study, name) for name in _WORDS},
        "authors": list(study.authors),
        "recipe": json.loads(study.recipe.to_json()),
        "model": collecting.plain(study.model),
        "settings": dict(sorted(study.settings.items())),
        "micrographs": [
            _member(member, number, writer) for number, member in enumerate(study.members, 1)
        ],
    }


def _member(member: Member, number: int, writer: _Writer) -> dict[str, Any]:
    size = member.pixel_size
    stem = file_stem(member.name, joint="-", ascii_only=True)
    about = f"micrographs/{number:04d}_{stem}.json"
    return {
        "name": member.name,
        "sha256": member.sha256,
        "shape": list(member.shape),
        "depth": member.depth,
        "pixel_size": [size.value, size.unit] if size else None,
        "pixel_size_from": member.pixel_size_from,
        "sample": member.sample,
        "label": member.label,
        "file": member.file,
        "pixels_sha256": member.pixels_sha256 if member.file else "",
        "about": about if about in writer.sizes else "",
    }
