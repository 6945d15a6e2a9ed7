"""The sentences and numbers of a report, escaped for HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.measuring.statistics import Interval, mean_interval
from core.reporting import recipe_words, sizing
from core.reporting.batch import NAMED, are_alike, group_column, list_versions, words_of
from core.reporting.escaping import escape

if TYPE_CHECKING:
    from core.reporting.batch import BatchResult

WHOLE = ("number", "regions", "width_px", "height_px")


def percent(value: float) -> str:
    """Return a percentage with one digit, or that it is small but not zero."""
    return "under\u00a00.1\u00a0%" if 0 < value < 0.05 else f"{value:.1f}\u00a0%"


def number(value: object, column: str) -> str:
    """Return a number of a column as text; a dash when it is unknown."""
    if pd.isna(value):  # type: ignore[call-overload]
        return "–"
    known = float(value)  # type: ignore[arg-type]
    if column in WHOLE:
        return f"{int(known)}"
    return f"{known:.1f}" if column.endswith("percent") else plain_number(known)


def plain_number(value: float, digits: int = 4) -> str:
    """Return a number with so many digits, and without powers of ten where people use none."""
    size = abs(value)
    if size and not 1e-4 <= size < 1e9:
        return f"{value:.{digits - 1}e}"
    if size >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def with_limits(value: float, low: float, high: float) -> tuple[str, str]:
    """Return a number with its sign, and "low to high": all with the digits that the limits allow.

    Half of what lies between the limits has two digits; without limits a dash stands for them.
    """
    half = (high - low) / 2
    if not (math.isfinite(half) and half > 0 and 1e-4 <= abs(value) + half < 1e9):
        limits = "–" if math.isnan(half) else f"{plain_number(low)} to {plain_number(high)}"
        return ("–" if math.isnan(value) else _signed(plain_number(value))), limits
    decimals = max(0, 1 - math.floor(math.log10(half)))
    first, *ends = (f"{round(each, decimals) + 0.0:,.{decimals}f}" for each in (value, low, high))
    return _signed(first), " to ".join(end.replace("-", "−") for end in ends)


def _signed(shown: str) -> str:
    return f"−{shown[1:]}" if shown.startswith("-") else f"+{shown}"


def interval(value: Interval) -> str:
    """Return "mean % (low–high %), n = …"; limits only with two fields or more."""
    if value.n < 2:
        return f"{value.estimate:.1f} %, n = {value.n}"
    # A t-interval knows nothing of 0 and 100 %; an area does.
    low, high = max(value.low, 0.0), min(value.high, 100.0)
    return f"{value.estimate:.1f} % ({low:.1f}–{high:.1f} %), n = {value.n}"


def class_title(result: BatchResult, name: str) -> str:
    """Return a class's name for people, not yet escaped."""
    titles: dict[str, str] = result.model["display_names"]
    return titles.get(name, name.replace("_", " ")) or "no class"


def summary(result: BatchResult, fields: pd.DataFrame) -> str:
    """Return what came out of the batch, in two to five sentences.

    Micrographs that are not alike are not averaged; samples have an answer each elsewhere.
    """
    total, failed = len(result.rows), len(result.failed)
    if not total:
        return "The batch was cancelled before the first micrograph was done."
    if not len(fields):
        if total == 1:
            return "The file could not be analysed; the reason is below."
        return f"None of the {total} files could be analysed; the reasons are below."
    sentences = [
        f"All {total} micrographs were analysed."
        if not failed
        else f"{total - failed} of {_count(total, 'micrograph')} were analysed; {failed} failed."
    ]
    if total == 1 and not failed:
        sentences = ["One micrograph was analysed."]
    if result.given > total:
        sentences.insert(0, f"The batch was cancelled with {total} of {result.given} files done.")
    copies = len(result.succeeded) - len(fields)
    if copies:
        what = "One of them is a copy" if copies == 1 else f"{copies} of them are copies"
        sentences.append(f"{what} of another file and not counted in what follows.")
    grouped = group_column(fields) == "sample"
    classes = [] if grouped else [_class_sentence(result, fields)]
    area = [_area(result, fields)] if not grouped and are_alike(fields) else []
    return " ".join([*sentences, *classes, *_doubts(fields), *area])


def _class_sentence(result: BatchResult, fields: pd.DataFrame) -> str:
    if NAMED in fields:
        return _named_sentence(result, fields)
    counts = fields["label"].value_counts()
    leaders = sorted(str(name) for name in counts.index[counts == counts.max()])
    titles = [escape(class_title(result, name)) for name in leaders]
    names = " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)
    if len(leaders) == fields["label"].nunique() > 1 and int(counts.max()) == 1:
        return f"Each is of another class: {names}."
    if len(leaders) > 1:
        return f"The most frequent classes are {names}, with {int(counts.max())} each."
    return f"The most frequent class is {names}, with {int(counts.max())} of {len(fields)}."


def _named_sentence(result: BatchResult, fields: pd.DataFrame) -> str:
    """Return how often a network of several labels names each class."""
    counts = fields[NAMED].map(words_of).explode().dropna().value_counts()
    named = ", ".join(f"{escape(class_title(result, str(n)))} in {k}" for n, k in counts.items())
    return (
        "Several classes may be true of one micrograph, or none. Above the network’s threshold: "
        f"{named or 'none'} of {len(fields)}."
    )


def _doubts(fields: pd.DataFrame) -> list[str]:
    doubtful = int((_sizes_of_sets(fields) > 1).sum())
    if not doubtful:
        return []
    verb = "has" if doubtful == 1 else "have"
    return [f"{_count(doubtful, 'micrograph')} {verb} more than one candidate class."]


def _sizes_of_sets(fields: pd.DataFrame) -> pd.Series[int]:
    return fields["candidates"].map(lambda cell: len(words_of(cell)))


def _area(result: BatchResult, fields: pd.DataFrame) -> str:
    value = mean_interval(fields["target_percent"].to_numpy(float))
    what = (
        f"The target, {recipe_words.target_title(result.recipe)}, covers {percent(value.estimate)}"
    )
    if value.n < 2:
        return f"{what} of the specimen area."
    low, high = max(value.low, 0.0), min(value.high, 100.0)
    return (
        f"{what} of the specimen area on average (95 % confidence interval {low:.1f} to "
        f"{high:.1f} %, n = {value.n} fields)."
    )


def trust_facts(result: BatchResult) -> dict[str, str]:
    """Return what is known about how far the answers of this batch can be trusted, not escaped."""
    fields, model = result.fields, result.model
    sure = int((_sizes_of_sets(fields) <= 1).sum())
    facts = {"One candidate class": f"{sure} of {len(fields)} fields of view"}
    level = result.recipe.conformal_level or model["calibration"].get("conformal_level")
    if level:
        facts["Prediction sets"] = (
            f"are made to hold the true class in {100 * level:.0f} % of micrographs that are like "
            "those the network was calibrated on"
        )
    calibrated = "temperature" in model["calibration"]
    facts["Probabilities"] = (
        "temperature-scaled on held-out micrographs"
        if calibrated
        else "not calibrated: read them as a ranking"
    )
    novel = fields["novelty"].notna()
    if novel.any():
        count = sum("novel" in words_of(text) for text in fields["warnings"])
        facts["Unlike the training micrographs"] = f"{count} of {len(fields)}"
    else:
        facts["Unlike the training micrographs"] = "not measured with this model"
    facts["No evidence shown"] = f"{int((~fields['has_evidence'].astype(bool)).sum())}"
    record = model["metrics"]
    if record.get("balanced_accuracy") is not None:
        limits = record.get("balanced_accuracy_interval_95")
        inside = f" ({100 * limits[0]:.0f}–{100 * limits[1]:.0f} %)" if limits else ""
        facts["On held-out micrographs"] = (
            f"balanced accuracy {100 * record['balanced_accuracy']:.0f} %{inside} over "
            f"{record.get('pictures', '?')} micrographs of {len(model['classes'])} classes"
        )
    else:
        facts["On held-out micrographs"] = "the model's card states no accuracy"
    return facts


def methods(result: BatchResult) -> str:
    """Return a paragraph that a paper can use, with every parameter."""
    recipe, model = result.recipe, result.model
    classes = ", ".join(escape(class_title(result, name)) for name in model["classes"])
    method = model["explanation"]
    return " ".join(
        (
            f"Micrographs were analysed with Micrographia {list_versions()['micrographia']}. "
            f"{_seen(model)} classified by the network {escape(model['name'])} "
            f"({escape(model['architecture'])}, weights SHA-256 {escape(model['sha256'][:16])}…) "
            f"as one of: {classes}. {_certainty(result)}Evidence for {_explained(result)} was "
            f"mapped by {escape(method['title'])} ({escape(method['reference'])}) on "
            f"{recipe_words.layer(recipe)} and scaled to its own maximum in each micrograph.",
            recipe_words.exclusion(recipe),
            escape(sizing.describe(recipe)),
            recipe_words.filters(recipe),
            f"{recipe_words.phases(recipe)}; the target was {recipe_words.target_title(recipe)}. "
            f"{recipe_words.decisions(recipe)}Connected regions of the target with at least "
            f"{'that size' if recipe.decided else recipe_words.smallest_region(recipe)} "
            f"({recipe_words.region_rules(recipe)}; regions cut by the frame are "
            f"{'left out' if recipe.drop_border_regions else 'included'}, as are those that what "
            "was left out of it cuts) "
            f"were measured{recipe_words.region_limits(recipe)}; the equivalent diameter is that "
            "of the circle of the same area, and means of it are by number"
            f"{recipe_words.sizes_by(recipe)}. "
            f"{recipe_words.further_methods(recipe)}"
            "Area fractions refer to the specimen area of a field "
            "and are given as means over fields with 95 % t-intervals (Student 1908, "
            f"doi:10.2307/2331554), {_compared(result)}class shares with Wilson intervals "
            "(Wilson 1927, doi:10.1080/01621459.1927.10502953).",
        )
    )


def _compared(result: BatchResult) -> str:
    """Return how samples were compared; empty with fewer than two."""
    names = result.fields["sample"].fillna("")
    if names[names != ""].nunique() < 2:
        return ""
    return (
        "samples are compared with fields as the units by Welch's interval (Welch 1947, "
        "doi:10.1093/biomet/34.1-2.28) and the rank test of Mann and Whitney (1947, "
        "doi:10.1214/aoms/1177730491), held for all comparisons together (Holm 1979), "
    )


def _seen(model: Mapping[str, Any]) -> str:
    return "Each whole frame was" if model["sees_whole_frames"] else "Each frame's centre was"


def _certainty(result: BatchResult) -> str:
    calibration = result.model["calibration"]
    said = ""
    if "temperature" in calibration:
        said = "Probabilities were temperature-scaled (Guo et al. 2017, arXiv:1706.04599). "
    level = result.recipe.conformal_level or calibration.get("conformal_level")
    if level:
        said += (
            f"Prediction sets are conformal at the level of {100 * level:.0f} % (Sadinle et al. "
            "2019, doi:10.1080/01621459.2017.1395341). "
        )
    return said


def _explained(result: BatchResult) -> str:
    name = result.recipe.explained_class
    return (
        "the predicted class" if name is None else f"the class {escape(class_title(result, name))}"
    )


def _count(value: int, noun: str) -> str:
    return f"{value} {noun}" if value == 1 else f"{value} {noun}s"
