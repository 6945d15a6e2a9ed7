"""How wrong the numbers of each sample are: look-alikes of a typical field, measured alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import UserError
from core.measuring.twins import QUANTITIES, Judgement, judge, middle, tell_error
from core.micrograph import Micrograph
from core.reporting.batch.analysis import find_clusters, number_regions, tabulate_regions
from core.reporting.batch.others import Others
from core.reporting.batch.pipeline import explain_failure, read
from core.reporting.batch.rows.grouping import are_alike, find_typical
from core.reporting.batch.sources import Source
from core.reporting.recipe import Recipe
from core.reporting.settling import settled, uncounted

_ERROR = ("error", "error_low", "error_high")
_OBJECTS = ("missed", "merged", "split", "invented")
Mask = NDArray[np.bool_]
Tell = Callable[[str], None]


class _Stopped(Exception):
    """The batch was asked to stop."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How the numbers of a batch's samples are judged.

    Attributes
    ----------
    recipe : Recipe
        With what was decided; its `twins` is how many look-alikes are drawn of each sample.
    sources : sequence of Source
        In the order of the rows' numbers.
    others : mapping of str to Micrograph
        What filters need besides.
    tell : callable
        Called with words for people before each sample.
    should_stop : callable
        Asked after each measurement; once it says True, samples that follow are left out.
    """

    recipe: Recipe
    sources: Sequence[Source]
    others: Others
    tell: Tell
    should_stop: Callable[[], bool]


def judge_samples(fields: pd.DataFrame, trial: Trial) -> pd.DataFrame:
    """Return how wrong the numbers of each sample are, by look-alikes of its typical field.

    Parameters
    ----------
    fields : DataFrame
        Rows that count in statistics.
    trial : Trial

    Returns
    -------
    DataFrame
        For each sample a row for each quantity: sample, number and name of the field, `twins`,
        `refusal` (why there are no numbers), then the columns of `Judgement.to_frame`, and of the
        look-alikes' objects the shares that were missed, merged or split and of those found the
        invented ones, 0 to 1. Frames without a sample count as one where they are alike.
    """
    tables = []
    names = fields["sample"].fillna("")
    for name in dict.fromkeys(names):
        group = fields[names == name]
        number = find_typical(group) if name or are_alike(fields) else None
        if number is None:
            continue
        trial.tell(f"look-alikes of {name or 'the typical field'}")
        try:
            table = _judged(trial.sources[number - 1], str(name), trial)
        except _Stopped:
            break
        row = group[group["number"] == number].iloc[0]
        for place, value in enumerate((str(name), number, row["name"])):
            table.insert(place, ("sample", "number", "name")[place], value)
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _judged(source: Source, sample: str, trial: Trial) -> pd.DataFrame:
    """Return the judgement of one field as a table; what goes wrong is its refusal."""
    try:
        said = _judge(source, sample, trial)
    except _Stopped:
        raise
    except Exception as error:
        empty = pd.DataFrame({"quantity": QUANTITIES})
        empty.insert(0, "twins", 0)
        empty.insert(1, "refusal", explain_failure(error, source.name))
        return empty
    return _tabulated(said)


def _judge(source: Source, sample: str, trial: Trial) -> Judgement:
    reading = read(source, trial.recipe)
    if reading.micrograph is None:
        raise UserError(reading.reason)
    whole, exclude = reading.micrograph, reading.exclude
    filtered = trial.recipe.pipeline(whole, exclude=exclude, others=trial.others)
    recipe = settled(trial.recipe, sample, filtered, uncounted(whole, exclude))
    window = (slice(None), slice(None)) if trial.others else middle(whole.shape)
    part = whole.with_pixels(whole.pixels[window], f"part {window}")
    hidden = np.zeros(part.shape, np.bool_) if exclude is None else exclude[window]

    def listen(done: int, total: int) -> None:
        if trial.should_stop():
            raise _Stopped

    return judge(
        part,
        _measure(recipe, hidden, trial.others),
        count=recipe.twins,
        exclude=hidden,
        on_progress=listen,
        whole_only=recipe.drop_border_regions,
    )


def _measure(
    recipe: Recipe, exclude: Mask, others: Others
) -> Callable[[Micrograph], NDArray[np.int32]]:
    """Return what finds a recipe's regions in another picture: nothing that a hand changed."""

    def measure(micrograph: Micrograph) -> NDArray[np.int32]:
        filtered = recipe.pipeline(micrograph, exclude=exclude, others=others)
        hidden = uncounted(micrograph, exclude)
        clustering = find_clusters(filtered, hidden, recipe, others)
        target: Mask = clustering.labels == recipe.target
        numbers = number_regions(clustering, target, micrograph, recipe, hidden)
        table = tabulate_regions(target, micrograph, recipe, hidden, numbers=numbers)
        kept = np.zeros(int(numbers.max()) + 1, np.bool_)
        kept[table["label"]] = True
        return np.where(kept[numbers], numbers, 0)

    return measure


def _tabulated(said: Judgement) -> pd.DataFrame:
    table = said.to_frame()
    table.insert(0, "twins", said.count)
    table.insert(1, "refusal", said.refusal or "")
    for name in _OBJECTS:
        of = said.objects.found if name == "invented" else said.objects.true
        table[name] = getattr(said.objects, name) / max(of, 1)
    return table


def describe_twins(table: pd.DataFrame, sample: str) -> str:
    """Return in a sentence of plain text how wrong a sample's numbers are; empty where not judged.

    "By 20 look-alikes of its typical field, …, the area is right within 1.2 points, the count is
    read 8 % too low (−15 to −2 %), and D50 is right within 3 %."

    Parameters
    ----------
    table : DataFrame
        As `judge_samples` returns it.
    sample : str
    """
    rows = table[table["sample"] == sample] if len(table) else table
    if not len(rows):
        return ""
    by_name: dict[Any, dict[Any, Any]] = rows.set_index("quantity").to_dict("index")
    first = next(iter(by_name.values()))
    if first["refusal"]:
        return f"How wrong that is cannot be told by look-alikes: {first['refusal']}"
    named = {"fraction": "the area", "count": "the count", "d50": "D50"}
    *before, last = (
        tell_error(name, what, *(by_name[name][column] for column in _ERROR))
        for name, what in named.items()
    )
    count = int(first["twins"])
    return (
        f"By {count} look-alikes of its typical field, which show noise, blur and touching but not "
        f"texture or depth, {', '.join(before)}, and {last}."
    )
