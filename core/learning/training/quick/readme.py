"""The card of a quickly trained model in words: the README of its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.learning.models import ModelCard

_TEXT = """\
# {name}

Names one of {count} classes of a micrograph: {classes}.
Architecture `{architecture}`. Weights in `weights.safetensors`, SHA-256
`{sha256}`;
everything below stands in `card.json` too.

## How it was made

The network is that of `{start}` (SHA-256 `{start_sha256}`)
as it was: none of its layers was trained here. Only its last linear layer is new: a multinomial
logistic regression on the averages of the last activation map, classes weighed equally, with the
strength (C = {strength:g}) that did best on groups held out. Each picture entered once, as the
whole frame, info bars and letters hidden; no simulated picture took part. Since the head is linear,
class activation maps at the last layer are exact.

## What it learnt from

{data}

## How good it is

{scores}

## How far to trust an answer

{trust}

## Limits and credits

{limits}
"""


def describe(card: ModelCard) -> str:
    """Return the README of a quickly trained model as Markdown."""
    start = card.training["start"]
    return _TEXT.format(
        name=_plain(card.name),
        count=len(card.classes),
        classes=", ".join(_plain(card.display_name(label)) for label in card.classes),
        architecture=card.architecture,
        sha256=card.sha256,
        start=start["source"],
        start_sha256=start["sha256"] or "unknown",
        strength=card.training["strength"],
        data=_table(
            ("class", "pictures"), ((_plain(d["class"]), d["pictures"]) for d in card.data)
        ),
        scores="\n\n".join(_scores(card)),
        trust="\n".join(f"- {line}" for line in _trust(card)),
        limits="\n".join(f"- {_plain(limit)}" for limit in card.limits),
    )


def _scores(card: ModelCard) -> Iterable[str]:
    metrics = card.metrics
    yield f"{_plain(metrics['protocol'])}."
    if "pictures" not in metrics:
        return
    found = metrics["pictures"]
    low, high = found["balanced_accuracy_interval_95"]
    yield (
        f"Balanced accuracy {found['balanced_accuracy']:.3f} (95 % interval {low:.3f} to "
        f"{high:.3f}) on {found['pictures']} pictures from {found['groups']} originals. Chance is "
        f"{metrics['chance']:.3f}; the nearest neighbour in grey levels alone reaches "
        f"{metrics['grey_histogram']:.3f}. {say_histogram(metrics)}".rstrip()
    )
    yield _table(
        ("class", "recall", "95 % interval", "pictures"),
        (
            (
                _plain(label),
                f"{entry['recall']:.3f}",
                "{:.3f} to {:.3f}".format(*entry["interval_95"]),
                entry["pictures"],
            )
            for label, entry in found["recall"].items()
        ),
    )
    yield "Confusion matrix (rows: truth):"
    titles = [_plain(card.display_name(label)) for label in card.classes]
    rows = zip(titles, found["confusion_matrix"], strict=True)
    yield _table(("", *titles), ((title, *row) for title, row in rows))
    if curve := metrics["learning_curve"]:
        yield "Learning curve, learning from a part of the originals:"
        yield _table(
            ("pictures of a class", "balanced accuracy"),
            ((f"{e['per_class']:g}", f"{e['balanced_accuracy']:.3f}") for e in curve),
        )
        yield say_curve(curve)


def say_score(card: ModelCard) -> str:
    """Return the score in one sentence, beside chance and grey levels; why there is none."""
    metrics = card.metrics
    if "pictures" not in metrics:
        return say_test(card)
    found = metrics["pictures"]
    low, high = found["balanced_accuracy_interval_95"]
    return (
        f"Balanced accuracy {_percent(found['balanced_accuracy'])} (95\u00a0% interval "
        f"{100 * low:.0f} to {_percent(high)}), chance {_percent(metrics['chance'])}, grey levels "
        f"alone {_percent(metrics['grey_histogram'])}. {say_test(card)}"
    )


def say_test(card: ModelCard) -> str:
    """Return what the score was measured on, and what speaks against it; why there is none."""
    metrics = card.metrics
    if "pictures" not in metrics:
        return f"{metrics['protocol']}."
    found = metrics["pictures"]
    return (
        f"Measured on {found['pictures']} pictures from {found['groups']} originals, each asked of "
        f"a model that had not seen its original. {say_histogram(metrics)}"
    ).strip()


def say_histogram(metrics: Mapping[str, Any]) -> str:
    """Return what it means that grey levels alone do as well; empty where they do not."""
    if "pictures" not in metrics:
        return ""
    own, grey = metrics["pictures"]["balanced_accuracy"], metrics["grey_histogram"]
    if grey < own:
        return ""
    return (
        "Grey levels alone do as well: the classes may differ in brightness and contrast, which "
        "detectors set, and not in form."
    )


def say_curve(curve: Sequence[Mapping[str, float]]) -> str:
    """Return in one sentence whether more pictures would pay, by the last half of the curve."""
    half = next((e for e in curve if e["share"] >= 0.5), None)
    if half is None or half is curve[-1]:
        return "There are too few pictures to tell whether more would help; they usually do."
    gain = 100 * (curve[-1]["balanced_accuracy"] - half["balanced_accuracy"])
    said = (
        f"From {half['per_class']:g} to {curve[-1]['per_class']:g} pictures of a class the score "
        f"changed by {gain:+.0f} points".replace("-", "−")
    )
    if gain >= 2:
        return f"{said}: more pictures would pay."
    if curve[-1]["balanced_accuracy"] >= 0.97:
        return f"{said}: more of the same would change little."
    return f"{said}: more of the same may not help; other originals, or clearer classes, would."


def _trust(card: ModelCard) -> Iterable[str]:
    calibration = card.calibration
    if "temperature" in calibration:
        yield (
            f"Probabilities are scaled by the temperature {calibration['temperature']:g}, fitted "
            "to held-out answers; its reach is that of these pictures."
        )
    else:
        yield "Probabilities are not calibrated: too few originals."
    if "conformal_level" in calibration:
        yield (
            f"Prediction sets hold the true class of {_percent(calibration['conformal_level'])} of "
            "pictures like the held-out ones."
        )
    else:
        yield "No prediction sets of a stated level: too few originals."
    if "novelty_threshold" in calibration:
        yield "Pictures unlike those it learnt from are warned of; no warning proves nothing."
    else:
        yield "It cannot tell a picture unlike those it learnt from: too few originals."


def _plain(text: str) -> str:
    """Return a word of a person's so that Markdown shows it as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|~$" else c for c in text)


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"
