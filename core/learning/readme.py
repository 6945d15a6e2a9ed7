"""A model card in words: the README of a model folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.learning.checkpoints import ModelCard

_TEXT = """\
# {name}

Names the morphology in an electron micrograph: {classes}.
Architecture `{architecture}`. Weights in `weights.safetensors`, SHA-256
`{sha256}`;
everything below stands in `card.json` too.

## What it sees

The whole frame, one channel, any depth: resized with its aspect kept to about {area:,} pixels,
then standardised to zero mean and unit variance. Info bars, scale bars and letters are replaced by
the median grey level first. {head}

## How it was trained

With `python -m core train`, starting from {start}:
{pretrain:,} views of simulated micrographs, then {finetune:,} views of
which {real_share:.0%} are real ones, each a random window with random turn, scale, polarity,
contrast, blur, noise and hidden rectangles. AdamW; kept is the running average of the weights
over the last {average_share:.0%} of the steps. All settings stand in `card.json` under `training`.

## What it was trained on

{data}

## How good it is

{protocol}. *Squares* are held-out pictures as the
network is trained on, *whole frames* the same pictures uncropped, as the app sees them, with
overlays found and hidden. Intervals are 95 %: over resampled groups of originals for the balanced
accuracy, Wilson's for the recall.

{scores}

Calibration: temperature {temperature}; prediction sets aim at {level:.0%} coverage. Expected
calibration error of held-out pictures, each scaled by a temperature from the other folds:
{ece:.3f}.

### Confusion matrix of held-out {unit} (rows: truth)

{confusion}

## Limits and credits

{limits}
"""

_AVERAGED = ("emnet", "visualcnn", "resnet18", "resnet50", "efficientnet_b0", "densenet121")
_HEAD = """\
The head is a global average and one linear layer, so class activation
maps at the last layer are exact for what the network computes."""
_OTHER_HEAD = """\
The head is more than a global average and one linear
layer, so class activation maps are approximations."""


def describe(card: ModelCard) -> str:
    """Return the README of a trained model as Markdown."""
    training, calibration, metrics = card.training, card.calibration, card.metrics
    shown = "whole_frames" if "whole_frames" in metrics else "pictures"
    return _TEXT.format(
        name=card.name,
        classes=", ".join(card.display_name(name) for name in card.classes),
        architecture=card.architecture,
        sha256=card.sha256,
        head=_HEAD if card.architecture in _AVERAGED else _OTHER_HEAD,
        start=_start(training),
        area=card.preparation["area_px"],
        pretrain=training["pretrain_samples"],
        finetune=training["finetune_samples"],
        real_share=training["real_share"],
        average_share=training["average_share"],
        data=_table(
            ("source", "licence", "class", "pictures"),
            ((d["source"], d["licence"], d["class"], d["pictures"]) for d in card.data),
        ),
        protocol=metrics["protocol"],
        scores=_scores(card),
        temperature=calibration["temperature"],
        level=calibration["conformal_level"],
        ece=metrics["pictures"]["expected_calibration_error"],
        unit="whole frames" if shown == "whole_frames" else "pictures",
        confusion=_table(
            ("", *(card.display_name(c) for c in card.classes)),
            (
                (card.display_name(name), *row)
                for name, row in zip(card.classes, metrics[shown]["confusion_matrix"], strict=True)
            ),
        ),
        limits="\n".join(f"- {limit}" for limit in card.limits),
    )


def _start(training: Mapping[str, Any]) -> str:
    start = training.get("start")
    if not start:
        return "weights drawn at random"
    return f"the weights of `{start['source']}` (SHA-256 `{start['sha256']}`)"


def _scores(card: ModelCard) -> str:
    titles = {"pictures": "squares", "whole_frames": "whole frames"}
    parts = [(title, card.metrics[key]) for key, title in titles.items() if key in card.metrics]
    rows: list[tuple[Any, ...]] = [
        (
            "balanced accuracy",
            *(_bar(p["balanced_accuracy"], p["balanced_accuracy_interval_95"]) for _, p in parts),
        ),
        ("accuracy", *(f"{p['accuracy']:.3f}" for _, p in parts)),
        ("pictures (groups)", *(f"{p['pictures']} ({p['groups']})" for _, p in parts)),
    ]
    for name in card.classes:
        found = [p["recall"][name] for _, p in parts]
        rows.append(
            (
                f"recall, {card.display_name(name)} (n = {found[0]['pictures']})",
                *(_bar(f["recall"], f["interval_95"]) for f in found),
            )
        )
    return _table(("held-out", *(title for title, _ in parts)), rows)


def _bar(value: float, interval: Sequence[float]) -> str:
    return f"{value:.3f} ({interval[0]:.3f}–{interval[1]:.3f})"


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
