"""One plate per sample: its typical field, the target outlined, and the evidence."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.reporting.batch import find_typical, group_column
from core.reporting.escaping import escape
from core.reporting.report import wording
from core.reporting.report.wording import percent

if TYPE_CHECKING:
    import pandas as pd

    from core.reporting.batch import BatchResult

MOST_PLATES = 12


def plates(result: BatchResult) -> Iterator[str]:
    """Yield a plate for each named sample, where pictures of one of its fields were kept."""
    fields = result.fields
    if group_column(fields) != "sample":
        return
    names = [str(name) for name in dict.fromkeys(fields["sample"].fillna("")) if name]
    begun = False
    for name in names[:MOST_PLATES]:
        plate = _plate(result, name, fields[fields["sample"] == name])
        if plate and not begun:
            begun = True
            yield "<h2>A typical field of each sample</h2>"
        yield plate
    if begun:
        left = len(names) - MOST_PLATES
        more = f" {left} more samples have no plate." if left > 0 else ""
        yield (
            '<p class="note">Typical is the field whose area of the target is nearest the median '
            "of its sample. Yellow: the target’s outline. Evidence: what speaks for the class, "
            f"dark for none, bright for most.{more}</p>"
        )


def _plate(result: BatchResult, sample: str, group: pd.DataFrame) -> str:
    shown = [bool(result.preview(int(n))) for n in group["number"]]
    number = find_typical(group[shown])
    preview = result.preview(number) if number is not None else None
    if preview is None:
        return ""
    row = group[group["number"] == number].iloc[0]
    target = f"target outlined, {percent(float(row['target_percent']))}"
    explained = wording.class_title(result, result.recipe.explained_class or str(row["label"]))
    pictures = (
        (preview.field or preview.original, "micrograph"),
        (preview.outlines or preview.clusters, target),
        (preview.heat or preview.overlay, f"evidence for {explained}"),
    )
    figures = "".join(_figure(data, words, sample) for data, words in pictures)
    return (
        f'<section class="card plate"><h3>{escape(sample)} <span>{escape(row["name"])}</span></h3>'
        f'<div class="pictures">{figures}</div></section>'
    )


def _figure(data: bytes, words: str, sample: str) -> str:
    source = base64.b64encode(data).decode()
    return (
        f'<figure><img src="data:image/jpeg;base64,{source}" '
        f'alt="{escape(f"{sample}: {words}")}"><figcaption>{escape(words)}</figcaption></figure>'
    )
