"""A study run again: the same recipe over the same micrographs, and a look at every digit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from os import PathLike
from typing import Any

import pandas as pd

from core.errors import UserError
from core.micrograph import Micrograph
from core.reporting.batch import BatchResult, GivenSource, Later, Source, list_sources, run_batch
from core.reporting.recipe import MOST_SAMPLES
from core.reporting.study.collecting import columns
from core.reporting.study.model import Member, Study

_NOT_NUMBERS = ("number", "sha256", "duplicate_of", "near_duplicate_of", "reason", "status")
_NAMED = 3


def run_study(
    study: Study,
    out: str | PathLike[str],
    *,
    given: Iterable[GivenSource] = (),
    **options: Any,
) -> BatchResult:
    """Repeat the analysis of a study and write it to a folder.

    Parameters
    ----------
    study : Study
    out : path
        As `run_batch` takes it.
    given : iterable of Path, (name, bytes) or Micrograph
        Where the micrographs are found by their digests that the study does not hold.
    **options
        Of `run_batch`: engine, on_progress, classifier, resume, …

    Returns
    -------
    BatchResult
        Its rows equal the study's own (`compare_rows`) with the same versions.

    Raises
    ------
    UserError
        If a micrograph is neither in the study nor among those given, or as `run_batch` does.
    """
    recipe = study.recipe
    stated = {each.name: each.sample for each in study.members if each.sample}
    if stated and not recipe.sample_from and len(stated) <= MOST_SAMPLES and not recipe.samples:
        recipe = replace(recipe, samples=tuple(stated.items()))
    labels = {each.name: each.label for each in study.members if each.label}
    sources = list(_sources(study, list(given)))
    return run_batch(sources, recipe, out, labels=labels or None, **options)


def _sources(study: Study, given: list[GivenSource]) -> Iterator[Later]:
    found = {} if not given else {each.digest(): each for each in list_sources(given)}
    lacking = [m.name for m in study.members if not m.file and m.sha256 not in found]
    if lacking:
        more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        named = ", ".join(name[:80] for name in lacking[:_NAMED])
        raise UserError(
            f"The study does not hold the pixels of {named}{more}. Name the folder where its "
            "micrographs lie: they are found by their digests."
        )
    for member in study.members:
        yield _later(study, member, found.get(member.sha256))


def _later(study: Study, member: Member, source: Source | None) -> Later:
    def fetch() -> Micrograph:
        if member.file or source is None:
            return study.micrograph(member)
        one = source.read()
        known = dict(member.metadata) or one.metadata
        size = member.pixel_size if member.metadata else one.pixel_size
        return replace(one, name=member.name, pixel_size=size, metadata=known)

    state = f"{member.pixels_sha256} {member.pixel_size!r} {dict(member.metadata)!r}"
    return Later(member.name, member.sha256, f"{member.sha256} {state}", fetch)


def compare_rows(study: Study, result: BatchResult) -> list[str]:
    """Return where a repetition differs from the study's own results, in words; empty for nowhere.

    Every number and every answer of every analysed micrograph is compared, to the last digit.

    Parameters
    ----------
    study : Study
    result : BatchResult
    """
    before = study.rows
    if before.empty:
        return ["the study holds no results to compare with"]
    before = before[before["status"] == "ok"].reset_index(drop=True)
    now = pd.DataFrame(columns(result.succeeded))
    if len(before) != len(now):
        return [f"{len(before)} micrographs were analysed before, {len(now)} now"]
    skipped = {*_NOT_NUMBERS, *(c for c in before.columns if c.endswith("_file"))}
    names = [column for column in before.columns if column not in skipped]
    lacking = [f"the column {name} is not there" for name in names if name not in now.columns]
    found = [
        f"{name} of {before['name'][place]}: {before[name][place]} before, {now[name][place]} now"
        for name in names
        if name in now.columns
        for place in range(len(now))
        if not _same(before[name][place], now[name][place])
    ]
    return lacking + found


def _same(a: Any, b: Any) -> bool:
    if pd.isna(a) or pd.isna(b):
        return bool(pd.isna(a) and pd.isna(b))
    return bool(a == b)
