"""What a study is made of: each micrograph with what is said of it, read one at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.errors import UserError
from core.micrograph import Micrograph, digest_pixels
from core.reporting.batch import (
    BatchResult,
    GivenSource,
    Source,
    find_sample,
    list_sources,
    pixel_size_source,
)
from core.reporting.recipe import Recipe
from core.reporting.study.model import NOTES, ORIGINAL, Member, Study
from core.reporting.study.opening import MOST_MEMBERS

Texts = Mapping[str, str]
Pair = tuple[Member, Micrograph | None]
_LONGEST_NAME = 400
_MOST_METADATA = 200_000  # letters of what one file said of its instrument


@dataclass(frozen=True, slots=True)
class Said:
    """What people said of the micrographs, by name; of what a hand did, by digest."""

    recipe: Recipe = field(default_factory=Recipe)
    samples: Texts = field(default_factory=dict)
    labels: Texts = field(default_factory=dict)
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def member(self, one: Micrograph, path: str) -> Member:
        """Return all that a study keeps of a micrograph but its pixels."""
        sample = self.samples.get(one.name) or find_sample(self.recipe, one, path)
        notes = self.notes.get(one.sha256, {})
        return Member(
            name=one.name[:_LONGEST_NAME],
            sha256=str(one.metadata.get(ORIGINAL, one.sha256)),
            shape=one.shape,
            depth=one.pixels.dtype.name,
            pixel_size=one.pixel_size,
            pixel_size_from=pixel_size_source(one)[:_LONGEST_NAME],
            sample=sample,
            label=self.labels.get(one.name, ""),
            pixels_sha256=digest_pixels(one.pixels),
            metadata=_brief(one.metadata),
            notes={name: plain(notes[name]) for name in NOTES if notes.get(name)},
        )


def listed(given: Iterable[GivenSource] | GivenSource) -> list[Source]:
    """Return the sources; raises UserError for none or too many."""
    sources = list_sources(given)
    if len(sources) > MOST_MEMBERS:
        raise UserError(f"A study holds at most {MOST_MEMBERS} micrographs. Save fewer of them.")
    return sources


def of_sources(sources: Sequence[Source], said: Said) -> Iterator[Pair]:
    """Yield each micrograph that can be read; one at a time in memory."""
    for source in sources:
        try:
            one = source.read()
        except UserError:
            continue  # its row says why
        yield said.member(one, source.path), one


def of_study(study: Study) -> Iterator[Pair]:
    """Yield the members of a study that was opened."""
    for member in study.members:
        yield member, study.micrograph(member) if member.file else None


def of_result(result: BatchResult, labels: Texts) -> Iterator[Pair]:
    """Yield what the rows of a batch say of its micrographs: digests, no pixels."""
    for row in result.succeeded.to_dict("records"):
        yield (
            Member(
                name=str(row["name"])[:_LONGEST_NAME],
                sha256=str(row["sha256"]),
                shape=(int(row["height_px"]), int(row["width_px"])),
                pixel_size_from=str(row["pixel_size_source"]),
                sample=str(row["sample"]),
                label=labels.get(str(row["name"]), "") or str(row["true_label"]),
            ),
            None,
        )


def columns(rows: pd.DataFrame) -> dict[str, list[Any]]:
    """Return a table as JSON holds it, with every digit."""
    return {str(name): [plain(cell) for cell in rows[name].tolist()] for name in rows.columns}


def plain(value: Any) -> Any:
    """Return a value as JSON holds it: what is not finite or not known is null."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or isinstance(value, bool | int | str):
        return None if value is pd.NA else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return str(value)


def _brief(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata as JSON holds them; what is far longer than the rest goes."""
    kept = {str(key): plain(value) for key, value in metadata.items() if key != ORIGINAL}
    while len(json.dumps(kept)) > _MOST_METADATA:
        del kept[max(kept, key=lambda key: len(json.dumps(kept[key])))]
    return kept
