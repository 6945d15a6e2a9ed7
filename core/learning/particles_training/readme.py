"""A particle model's card in words: the README of its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.learning.particles import ParticleCard

_TEXT = """\
# {name}

Finds particles in an electron micrograph and numbers them, without a setting
(`core.learning.particles.find_particles`). It names no class. Weights in `weights.safetensors`,
SHA-256 `{sha256}`;
everything below stands in `card.json` too.

## What it sees and answers

The whole frame, one channel, any depth: resized with its aspect kept, overlays painted over,
standardised to zero mean and unit variance, shown larger where particles are small. The first
five stages of EfficientNet-Lite0, and a decoder (U-Net) up to half of what is shown, answer at each
place: inside a particle, at a rim, and how deep between rim and middle. Summits of the depth are
particles; a watershed gives them their pixels.

## How it was trained

{training}

Random views: turn, scale, squeeze, polarity, contrast, blur, noise, shading. Cross-entropy and
Dice for inside and rim, smoothed absolute error for depth. AdamW with a cosine; kept is the running
average of the weights.

## What it was trained on

{data}

## How good it is

On pictures that it was not trained on. AP50 is hits / (hits + wrong + missed) at an IoU above 0.5,
the mean over pictures; F1 pools all particles. Beside it, the same by threshold and shape alone.

{scores}

{by_picture}

## Limits and credits

{limits}
"""


def write_readme(folder: Path, card: ParticleCard) -> None:
    """Write the README of a model folder."""
    metrics = card.metrics
    ways = {way: metrics[way] for way in ("network", "by shape") if way in metrics}
    text = _TEXT.format(
        name=card.name,
        sha256=card.sha256,
        training=_facts(card.training),
        data=_table(card.data) or "Nothing is stated.",
        scores=_table({"way": way, **values} for way, values in ways.items()) or "Not measured.",
        by_picture=_table(metrics.get("by_picture", ())),
        limits="\n".join(f"- {line}" for line in card.limits) or "None are stated.",
    )
    (folder / "README.md").write_text(text.rstrip() + "\n", encoding="utf-8")


def _facts(values: Mapping[str, Any]) -> str:
    return "\n".join(f"- {key.replace('_', ' ')}: {value}" for key, value in values.items())


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a Markdown table with the keys of the first row as its head."""
    rows = list(rows)
    if not rows:
        return ""
    keys = list(rows[0])
    lines = [[key.replace("_pct", ", %").replace("_", " ") for key in keys], ["---"] * len(keys)]
    lines += [[str(row.get(key, "")) for key in keys] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
