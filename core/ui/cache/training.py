"""Learning one's own classes: thin wrappers; features are kept by digest in the core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import streamlit as st

from core.imaging import display
from core.micrograph import Micrograph
from core.ui.cache.shared import BY_PIXELS, model

if TYPE_CHECKING:
    from core.learning.models import ModelCard
    from core.learning.training import LabelledPicture, Tuned, quick

Tell = Callable[..., None]
_SQUARE_PX = 160


@dataclass(frozen=True, slots=True)
class Wrong:
    """A held-out picture that was taken for another class, or nearly."""

    place: int
    said: str
    probability: float


def training_start() -> str:
    """Return the name of the model whose features are used."""
    from core.learning.training import quick

    return quick.default_start()


def labelled_picture(micrograph: Micrograph, label: str, group: str) -> LabelledPicture:
    """Return a picture with its class and its group."""
    from core.learning.training import LabelledPicture

    return LabelledPicture(micrograph, label, group, "own pictures", "", "")


def series_of_name(name: str) -> str:
    """Return a file's name without its number."""
    from core.learning.training import quick

    return quick.group_by_name(name)


def label_lines(data: bytes) -> list[quick.LabelLine]:
    """Return what a table of labels says."""
    from core.learning.training import quick

    return quick.read_label_table(data)


def training_findings(pictures: list[LabelledPicture], tell: Tell) -> list[quick.Finding]:
    """Return what speaks for or against learning from these pictures."""
    from core.learning.training import quick

    start = model(training_start())
    looks = quick.look(start, [picture.micrograph for picture in pictures], _counted(tell))
    return quick.check_pictures(pictures, looks)


def learn_classes(
    pictures: list[LabelledPicture], title: str, tell: Tell, visitor: str = ""
) -> str:
    """Return the name of a new model of these classes; it lies beside those that people brought."""
    from core.learning import adding
    from core.learning.training import quick

    start = model(training_start())
    made = quick.learn(pictures, start=start, name=title, on_progress=_counted(tell))
    return adding.keep_model(made, quick.describe(made.card), visitor).name


def can_tune() -> bool:
    """Tell whether the model that trainings start from can be tuned on a page."""
    from core.learning import training

    return training.can_be_tuned(model(training_start()))


def tuning_limits(pictures: int) -> tuple[int, float, int]:
    """Return the most pictures that are tuned on, and seconds and bytes of so many."""
    from core.learning import training

    return training.MOST_PICTURES, training.foresee_s(pictures), training.foresee_bytes(pictures)


def keep_tuned(made: Tuned, visitor: str = "") -> str:
    """Return the name of a thoroughly trained model, kept beside those that people brought."""
    from core.learning import adding

    return adding.keep_model(made.classifier, made.readme, visitor).name


def test_sentence(card: ModelCard) -> str:
    """Return in words what a quickly trained model's score was measured on."""
    from core.learning.training import quick

    return quick.say_test(card)


def curve_sentence(card: ModelCard) -> str:
    """Return whether more pictures would pay, in words."""
    from core.learning.training import quick

    return quick.say_curve(card.metrics["learning_curve"])


def worst_pictures(model_name: str, most: int) -> list[Wrong]:
    """Return the held-out pictures that were taken for another class, the surest errors first.

    Places are those of the pictures that were learnt from; none where not all were held out.
    """
    from core.learning.classifying import softmax

    found = model(model_name)
    kept = found.reference
    if kept is None or len(kept.heldout_logits) != len(kept.embeddings):
        return []
    answers = softmax(
        kept.heldout_logits.astype(float), found.card.calibration.get("temperature", 1.0)
    )
    said = answers.argmax(axis=1)
    wrong = np.flatnonzero(said != kept.heldout_targets)
    ordered = sorted(wrong.tolist(), key=lambda place: -answers[place, said[place]])
    names = found.card.classes
    return [Wrong(p, names[said[p]], float(answers[p, said[p]])) for p in ordered[:most]]


def label_next(
    model_name: str, micrographs: list[Micrograph], most: int, tell: Tell
) -> list[tuple[int, float]]:
    """Return the places of the micrographs to label next, and the doubt about each."""
    from core.learning.training import quick

    found = model(model_name)
    return quick.suggest_next(found, micrographs, most, on_progress=_counted(tell))


def mean_class_maps(
    model_name: str, pictures: list[LabelledPicture], tell: Tell
) -> list[quick.MeanMap]:
    """Return where each class is seen on average."""
    key = tuple((p.micrograph.sha256, p.label) for p in pictures)
    return _mean_class_maps(model_name, key, pictures, tell)


@st.cache_data(max_entries=8, show_spinner=False)
def _mean_class_maps(
    model_name: str,
    key: tuple[tuple[str, str], ...],
    _pictures: list[LabelledPicture],
    _tell: Tell,
) -> list[quick.MeanMap]:
    from core.learning.training import quick

    return quick.mean_maps(model(model_name), _pictures, _counted(_tell))


@st.cache_data(max_size="16MB", show_spinner=False, hash_funcs=BY_PIXELS)
def square_png(micrograph: Micrograph) -> bytes:
    """Return the middle of the micrograph as a small square picture."""
    shown = display.thumbnail(micrograph, 2 * _SQUARE_PX)
    side = min(shown.shape)
    top, left = ((length - side) // 2 for length in shown.shape)
    square = shown[top : top + side, left : left + side]
    small = cv2.resize(square, (_SQUARE_PX, _SQUARE_PX), interpolation=cv2.INTER_AREA)
    return display.png_bytes(np.asarray(small, np.uint8))


def _counted(tell: Tell) -> Callable[[int, int], None]:
    """Return a listener that says "3 of 20" to a bar."""
    return lambda done, total: tell(done / max(1, total), f"{done} of {total}")
