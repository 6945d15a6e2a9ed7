"""What a card may hold, declared once; a stranger wrote it, and pages and reports believe it.

Unknown keys of metrics and training are kept as plain values; what the program shows or computes
with has the type, the range and the length that are stated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from core.errors import UnusableModel

MOST_CLASSES = 1000
LONGEST_WORD = 120  # of a class, twice what is kept of a foreign name
LONGEST_TEXT = 1000
MOST_PLAIN = 20_000  # values that nobody here looks at
_CARD = "card.json"


def _plain_text(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be plain text")
    return text


def _word(text: str) -> str:
    if "|" in text:  # lists of classes are written with it
        raise ValueError("must be plain text")
    return _plain_text(text)


def is_word(text: str) -> bool:
    """Tell whether a card may hold a text as the name of a model or a class."""
    try:
        return len(_word(text)) <= LONGEST_WORD
    except ValueError:
        return False


def _ordered(pair: list[float]) -> list[float]:
    if pair[0] > pair[1]:
        raise ValueError("must go from low to high")
    return pair


Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_plain_text)]
Word = Annotated[str, Field(max_length=LONGEST_WORD), AfterValidator(_word)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e9)]
Points = Annotated[float, Field(ge=-100, le=100)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Interval = Annotated[list[Share], Field(min_length=2, max_length=2), AfterValidator(_ordered)]
Lengths = Annotated[list[Positive], Field(min_length=2, max_length=2), AfterValidator(_ordered)]


class _Part(BaseModel):
    """A part of a card: numbers are numbers, never text, and finite."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class _Recall(_Part):
    recall: Share
    interval_95: Interval
    pictures: Count


class _Scores(_Part):
    pictures: Count | dict[str, Any] | None = None
    groups: Count | None = None
    balanced_accuracy: Share | None = None
    balanced_accuracy_interval_95: Interval | None = None
    accuracy: Share | None = None
    recall: Annotated[dict[Word, _Recall], Field(max_length=MOST_CLASSES)] | None = None
    confusion_matrix: list[list[Count]] | None = None
    expected_calibration_error: Share | None = None
    mean_prediction_confidence: Share | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """What is shown beside the confusion matrix must be there with it."""
        if self.confusion_matrix is None:
            return self
        needed = (self.groups, self.balanced_accuracy, self.balanced_accuracy_interval_95)
        if None in (*needed, self.recall) or not isinstance(self.pictures, int):
            raise ValueError("lacks what belongs to a confusion matrix")
        side = len(self.confusion_matrix)
        if side > MOST_CLASSES or any(len(row) != side for row in self.confusion_matrix):
            raise ValueError("holds no square confusion matrix")
        return self


class _Sets(_Part):
    level: Share
    covered: Share
    mean_size: Annotated[float, Field(ge=0, le=MOST_CLASSES)]
    one_class: Share


class _Novelty(_Part):
    foreign_pictures: Count
    foreign_kinds: Count
    auroc: Share
    auroc_held_out: Share
    foreign_beyond: Share
    held_out_beyond: Share


class _Shortcuts(_Part):
    points: Annotated[dict[Word, Points], Field(max_length=50)]


class _HeldOutSource(_Part):
    source: Annotated[str, Field(max_length=LONGEST_TEXT)]
    pictures: Count
    right: Count


class _Learnt(_Part):
    share: Share
    groups: Annotated[float, Field(ge=0, le=1e9)]
    pictures: Annotated[float, Field(ge=0, le=1e9)]
    balanced_accuracy: Share
    balanced_accuracy_interval_95: Interval
    accuracy: Share
    held_out: Count
    folds: Count
    views: Count


class _LearntQuickly(_Part):
    share: Share
    per_class: Annotated[float, Field(ge=0, le=1e9)]
    balanced_accuracy: Share


class _Metrics(_Scores):
    """The scores of a card; those of whole frames and of pictures, or flat ones."""

    pictures: _Scores | Count | None = None  # type: ignore[assignment]
    whole_frames: _Scores | None = None
    protocol: Text | None = None
    prediction_sets: Annotated[list[_Sets], Field(max_length=50)] | None = None
    novelty: _Novelty | None = None
    shortcuts: _Shortcuts | None = None
    held_out_sources: Annotated[list[_HeldOutSource], Field(max_length=1000)] | None = None
    learning_curve: Annotated[list[_Learnt | _LearntQuickly], Field(max_length=50)] | None = None


class _Calibration(_Part):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    temperature: Annotated[float, Field(ge=0.01, le=100)] | None = None
    conformal_level: Annotated[float, Field(gt=0, le=1)] | None = None
    conformal_threshold: Share | None = None
    novelty_threshold: Annotated[float, Field(ge=0, le=1e9)] | None = None
    novelty_near_any_class: Share | None = None


class _Training(_Part):
    inferred: Annotated[list[Text], Field(max_length=50)] = []


class _Range(_Part):
    pixel_size_nm: Lengths | None = None
    field_width_nm: Lengths | None = None
    frames: Count | None = None
    of: Count | None = None


class _Card(_Part):
    name: Word
    architecture: Annotated[str, Field(max_length=LONGEST_WORD)]
    classes: Annotated[list[Word], Field(max_length=MOST_CLASSES)]
    display_names: Annotated[dict[Word, Word], Field(max_length=MOST_CLASSES)] = {}
    options: dict[str, Any] = {}
    preparation: dict[str, Any] = {}
    calibration: _Calibration = _Calibration()
    metrics: _Metrics = _Metrics()
    training: _Training = _Training()
    data: Annotated[list[dict[str, Any]], Field(max_length=MOST_PLAIN)] = []
    limits: Annotated[list[Text], Field(max_length=MOST_CLASSES + 50)] = []
    sha256: str = ""
    reference: str = ""
    training_range: _Range = _Range()
    decision_threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    multi_label: bool = False


def check_card(values: Mapping[str, Any]) -> None:
    """Refuse a card whose values pages, reports or computations cannot take.

    Parameters
    ----------
    values : mapping
        What stands in card.json.

    Raises
    ------
    UnusableModel
        One sentence, which names the place.
    """
    try:
        _Card.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise UnusableModel(_say(first["loc"], first["type"])) from error
    if _count(values) > MOST_PLAIN * 10:
        raise UnusableModel(f"{_CARD} holds more than a card can; write it again.")


def _say(place: tuple[int | str, ...], kind: str) -> str:
    """Return the sentence about the first value that cannot be."""
    where = "".join(c for c in ".".join(map(str, place))[:80] if c.isprintable())
    part = place[0] if place else ""
    if part == "classes" and kind in ("too_long", "string_too_long"):
        return f"{_CARD} has too many or too long names of classes."
    if part in ("name", "classes", "limits"):
        return f"The names in {_CARD} must be plain text; write it again."
    if part == "calibration" and kind not in ("less_than_equal", "extra_forbidden"):
        return f"The calibration in {_CARD} must be positive numbers; write it again."
    if part in ("display_names", "training_range"):
        return (
            "The network gives no usable answer to a test picture. Its card or its weights are "
            f"damaged ({where}); export it again."
        )
    return f"{_CARD} holds values that cannot be ({where}); write it again."


def _count(value: Any) -> int:
    """Return how many values a value from JSON holds."""
    if isinstance(value, dict | list | tuple):
        return 1 + sum(map(_count, value.values() if isinstance(value, dict) else value))
    return 1
