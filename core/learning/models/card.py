"""A model's card: what it is, what it learnt from, how far it can be trusted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from core.errors import UnusableModel
from core.learning.models.installed import CARD

CARD_VERSION = 1
_USUAL_THRESHOLD = 0.5
LONGEST_CARD = 1_000_000  # characters; the shipped one has 13,000


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, what it learnt from and how far it can be trusted.

    `classes` are identifiers in the order of the scores; `display_names` are their words for
    people. `metrics`, `calibration` and `training` hold plain values; their keys are documented
    in the model's README. `reference` is the SHA-256 of what is kept of the training set, empty
    when nothing is; `training_range` says which field widths were trained on (`magnification`).
    `decision_threshold` is for networks with one output: class 0 at or below this probability of
    class 1; None means the most probable class. With `multi_label` every class is answered for
    itself by a sigmoid: several may be true of one frame, or none.
    """

    name: str
    architecture: str
    classes: tuple[str, ...]
    display_names: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    preparation: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    data: tuple[dict[str, Any], ...] = ()
    limits: tuple[str, ...] = ()
    sha256: str = ""
    reference: str = ""
    training_range: dict[str, Any] = field(default_factory=dict)
    decision_threshold: float | None = None
    multi_label: bool = False
    version: int = CARD_VERSION

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise ValueError(f"a model needs two or more different classes, got {self.classes}")

    @property
    def present_above(self) -> float | None:
        """Of a network of several labels, the probability above which a class is there."""
        if not self.multi_label:
            return None
        return _USUAL_THRESHOLD if self.decision_threshold is None else self.decision_threshold

    @property
    def outputs(self) -> int:
        """How many scores the network gives: one where two classes share a sigmoid."""
        is_one = self.decision_threshold is not None and not self.multi_label
        return 1 if is_one else len(self.classes)

    def display_name(self, label: str) -> str:
        """Return a class's words for people: "rods_fibres" -> "rods & fibres"."""
        return self.display_names.get(label, label.replace("_", " "))

    def to_json(self) -> str:
        """Return the card as indented JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Return the card that `to_json` wrote.

        Raises
        ------
        UnusableModel
            If the text is not a card of a known version, or holds values that cannot be.
        """
        from core.learning.models.schema import check_card  # not before a card is read

        try:
            if len(text) > LONGEST_CARD:
                raise ValueError("it is longer than any card")
            values = json.loads(text)
            version = values.get("version")
            if version != CARD_VERSION:
                raise UnusableModel(
                    f"The model card has version {str(version)[:20]}; this Micrographia reads "
                    f"version {CARD_VERSION}. Update Micrographia or export the model again."
                )
            known = {f.name for f in fields(cls)}
            values = {key: value for key, value in values.items() if key in known}
            check_card(values)
            for key in ("classes", "data", "limits"):
                values[key] = tuple(values.get(key, ()))
            return cls(**values)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise UnusableModel(
                f"The model card ({CARD}) cannot be read: {error}. Copy the model folder again."
            ) from error
