"""A model card in words: the README of a model folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.learning.classifying import NEAR_ANY, write_length
from core.learning.models import ModelCard

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

{made_by}, starting from {start}:
{phases}, each a random window with random turn, scale, polarity,
contrast, blur, noise and hidden rectangles. AdamW; kept is the running average of the weights
over the last {average_share:.0%} of the steps. All settings stand in `card.json` under `training`.

## What it was trained on

{data}

## How good it is

{protocol}. *Squares* are held-out micrographs as the
network is trained on, *whole frames* the same pictures uncropped, as the app sees them, with
overlays found and hidden. Intervals are 95 %: over resampled groups of originals for the balanced
accuracy, Wilson's for the recall.

{scores}

Calibration: {temperature}. Expected calibration error of held-out {unit}, each
scaled by a temperature from the other groups of originals: {ece:.3f}.

### Confusion matrix of held-out {unit} (rows: truth)

{confusion}

## How far to trust an answer

{trust}

## Limits and credits

{limits}
"""

_AVERAGED = (
    "emnet",
    "visualcnn",
    "efficientnet_lite0",
    "resnet18",
    "resnet50",
    "efficientnet_b0",
    "densenet121",
)
_HEAD = """\
The head is a global average and one linear layer, so class activation
maps at the last layer are exact for what the network computes."""
_OTHER_HEAD = """\
The head is more than a global average and one linear
layer, so class activation maps are approximations."""


def describe(card: ModelCard, made_by: str = "With `python -m core train`") -> str:
    """Return the README of a trained model as Markdown."""
    training, calibration, metrics = card.training, card.calibration, card.metrics
    shown = "whole_frames" if "whole_frames" in metrics else "pictures"
    return _TEXT.format(
        name=card.name,
        made_by=made_by,
        classes=", ".join(card.display_name(name) for name in card.classes),
        architecture=card.architecture,
        sha256=card.sha256,
        head=_HEAD if card.architecture in _AVERAGED else _OTHER_HEAD,
        start=_start(training),
        area=card.preparation["area_px"],
        phases=_phases(training),
        average_share=training["average_share"],
        data=_table(
            ("source", "licence", "class", "pictures"),
            ((d["source"], d["licence"], d["class"], d["pictures"]) for d in card.data),
        ),
        protocol=metrics["protocol"],
        scores=_scores(card),
        temperature=_temperature(calibration),
        ece=metrics[shown]["expected_calibration_error"],
        trust="\n\n".join(_trust(card)),
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


def _temperature(calibration: Mapping[str, Any]) -> str:
    if "temperature" not in calibration:
        return "none, too few originals"
    return f"temperature {calibration['temperature']}"


_CHANGES = {
    "overlays_shown": "overlays shown instead of hidden",
    "contrast_inverted": "contrast inverted",
    "aspect_wider": "stretched to 1.25 times the width",
    "aspect_narrower": "squeezed to 0.8 of the width",
}


def _trust(card: ModelCard) -> Iterable[str]:
    metrics = card.metrics
    if "prediction_sets" in metrics:
        yield (
            "*Prediction sets* (conformal) hold the classes that cannot be excluded; measured on "
            "groups of originals whose own answers had no say in them:"
        )
        yield _table(
            ("level asked for", "sets that hold the truth", "classes per set", "one class only"),
            (
                (
                    f"{s['level']:.0%}",
                    f"{s['covered']:.1%}",
                    s["mean_size"],
                    f"{s['one_class']:.1%}",
                )
                for s in metrics["prediction_sets"]
            ),
        )
    if "novelty" in metrics:
        yield from _novelty(metrics["novelty"], bool(card.calibration.get(NEAR_ANY)))
    if "shortcuts" in metrics:
        yield from _shortcuts(metrics["shortcuts"])
    if "held_out_sources" in metrics:
        yield from _sources(card)
    if "learning_curve" in metrics:
        yield from _curve(metrics["learning_curve"], _all_views(card.training))
    if "worst_pictures" in metrics:
        yield from _worst(card)
    if card.training_range:
        yield _range(card.training_range)


def _novelty(found: Mapping[str, Any], near_any: bool) -> Iterable[str]:
    weakest = sorted(found["auroc_by_kind"].items(), key=lambda item: item[1])[:4]
    way = (
        "the distance to the nearest training originals in the space of the pooled last "
        "activation, less where the classes' scores are large; below 1 lie 95 % of originals, each "
        "without its own group and with the answer of a network that had not seen it"
        if near_any
        else "the distance to the nearest training originals of the named class in the space of "
        "the pooled last activation; 1 is the distance below which 95 % of held-out originals lie"
    )
    yield (
        f"*Novelty* is {way}. Against {found['foreign_pictures']} simulated pictures of "
        f"{found['foreign_kinds']} foreign kinds (noise, textures, pages, photographs, other "
        f"microscopy) its AUROC is {found['auroc']:.3f}, "
        f"{found['auroc_unseen_kinds']:.3f} on the kinds that had no say in the way of measuring. "
        "Held out strictly, with networks that never saw the originals either"
        f"{', by the distance and their hesitation' if near_any else ''}, "
        f"{found['auroc_held_out']:.3f} and {found['auroc_held_out_unseen_kinds']:.3f}. "
        f"{found['foreign_beyond']:.0%} of the foreign pictures and "
        f"{found['held_out_beyond']:.1%} of the {'' if near_any else 'held-out '}originals lie "
        "beyond 1: a warning is to be taken seriously, its absence proves nothing. Weakest kinds: "
        + ", ".join(f"{kind} {area:.2f}" for kind, area in weakest)
        + "."
    )


def _shortcuts(found: Mapping[str, Any]) -> Iterable[str]:
    yield (
        "*Shortcuts.* Held-out whole frames again, with something changed that says nothing about "
        f"the specimen (balanced accuracy as they are: {found['balanced_accuracy']:.3f}; within "
        "3 points is the aim):"
    )
    yield _table(
        ("change", "balanced accuracy, points", "same label"),
        (
            (_CHANGES[name], f"{points:+.1f}", f"{found['same_label'][name]:.1%}")
            for name, points in found["points"].items()
        ),
    )


def _sources(card: ModelCard) -> Iterable[str]:
    rows, full = card.metrics["held_out_sources"], _all_views(card.training)
    views = card.metrics.get("held_out_sources_views", full)
    right, pictures = (sum(row[key] for row in rows) for key in ("right", "pictures"))
    sizes = Counter[str]()
    for row in rows:
        sizes[row["source"]] += row["pictures"]
    together = any(row.get("left_out", 0) > sizes[row["source"]] for row in rows)
    mean = sum(row["right"] / row["pictures"] for row in rows) / len(rows)
    yield str.rstrip(
        "*Sources left out.* Trained without a source, and asked about its whole frames "
        f"(recall of one source of one class, so chance is one in {len(card.classes)}): "
        f"{right} of {pictures} right, mean recall {mean:.3f}. {_brief(views, full)}"
        + ("Small sources were left out together. " if together else "")
    )
    yield _table(
        ("source left out", "class", "right", "said", "pictures left out in all"),
        (
            (
                row["source"],
                card.display_name(row["class"]),
                f"{row['right']} of {row['pictures']}",
                ", ".join(f"{card.display_name(c)} {n}" for c, n in row["said"].items()),
                row.get("left_out", row["pictures"]),
            )
            for row in rows
        ),
    )


def _curve(rows: Sequence[Mapping[str, Any]], full: int) -> Iterable[str]:
    last = rows[-1]
    yield str.rstrip(
        "*Learning curve.* Fits on shares of every class's groups of originals, asked about the "
        f"whole frames of {last['folds']} of the folds ({last['held_out']} pictures). "
        + _brief(last["views"], full)
    )
    yield _table(
        ("groups learnt from", "groups", "pictures", "balanced accuracy", "accuracy"),
        (
            (
                f"{row['share']:.0%}",
                f"{row['groups']:g}",
                f"{row['pictures']:g}",
                _bar(row["balanced_accuracy"], row["balanced_accuracy_interval_95"]),
                f"{row['accuracy']:.3f}",
            )
            for row in rows
        ),
    )


def _all_views(training: Mapping[str, Any]) -> int:
    """Return the views of the fit that is kept, with those of the one that it went on from."""
    earlier = training.get("went_on_from", {}).get("plan", {})
    return int(training["finetune_samples"] + earlier.get("finetune_samples", 0))


def _brief(views: int, full: int) -> str:
    if views == 0:
        return (
            "Each fit is a linear head on the features of the start as it is, which takes "
            "milliseconds: simpler than the network that is kept, so rather a lower bound. "
        )
    if views >= full:
        return "Each fit is one like that of the network that is kept. "
    return f"Each fit saw {views:,} views instead of {full:,}, so the kept network may do better. "


def _worst(card: ModelCard) -> Iterable[str]:
    yield (
        "*Worst pictures.* Those whose class the networks that never saw them found least "
        "probable; more of their kind would help most:"
    )
    yield _table(
        ("picture", "class", "said", "probability of its class"),
        (
            (
                f"`{row['picture']}`",
                card.display_name(row["class"]),
                card.display_name(row["said"]),
                f"{row['probability']:.3f}",
            )
            for row in card.metrics["worst_pictures"]
        ),
    )


def _range(found: Mapping[str, Any]) -> str:
    (low, high), (fine, coarse) = found["field_width_nm"], found["pixel_size_nm"]
    return (
        f"*Scale.* Of {found['of']} training frames {found['frames']} state theirs: fields "
        f"{write_length(low)} to {write_length(high)} wide, pixels of {write_length(fine)} to "
        f"{write_length(coarse)}. Beyond, the app says so."
    )


def _phases(training: Mapping[str, Any]) -> str:
    if training["real_share"] == 1 and not training["pretrain_samples"]:
        real = f"{training['finetune_samples']:,} views of real micrographs, none of them simulated"
        still = training.get("still_blocks")
        return (
            f"the first {still} blocks stay as they are, the others learn from\n{real}"
            if still
            else real
        )
    real = f"{training['finetune_samples']:,} views of\nwhich {training['real_share']:.0%} are real"
    if not training.get("still_blocks"):
        pretrain = training["pretrain_samples"]
        return f"{pretrain:,} views of simulated micrographs, then {real} ones"
    return (
        f"the first {training['still_blocks']} blocks stay as they are, the others learn from "
        f"{_before(training)}{real}, the rest simulated\n"
        f"({training['field_share']:.0%} of these full fields: mats, "
        "packings, carpets, canopies, colonies"
        + (", growth over dots, packed rods, lit piles" if training.get("crowd_views") else "")
        + (
            ", microstructures, thin growth, crystals, monolayers of rods"
            if training.get("scatter_views")
            else ""
        )
        + ")"
        + _tiles(training.get("tiles_each", 0))
    )


def _before(training: Mapping[str, Any]) -> str:
    """Return what each network had learnt from before it went on."""
    earlier = training.get("went_on_from", {}).get("plan")
    if not earlier:
        return ""
    return (
        f"{earlier['finetune_samples']:,} views in an earlier\ntraining that held out the same "
        "pictures (`went_on_from`), then at a lower rate from "
    )


def _tiles(each: int) -> str:
    return (
        f". Of every whole frame {each} windows at one size are\namong the real views"
        if each
        else ""
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
