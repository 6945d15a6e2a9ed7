"""What speaks against trusting the label: each check in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import say, tables

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.learning.classifying import Classification
    from core.learning.models import Classifier

STABLE = 0.8  # share of small changes that a label should outlast


_NOTHING = say.Line("")


class Weight(Enum):
    """How much a check decides: where a grave one fails, the answer cannot be relied on."""

    GRAVE = "grave"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Check:
    """One sentence about trust; `sound` is None where nothing could be checked.

    Parameters
    ----------
    sound : bool or None
    words : Line
        What was found.
    short : Line
        The same in a few words, for the verdict.
    weight : Weight
        Of a check that fails.
    """

    sound: bool | None
    words: say.Line
    short: say.Line = _NOTHING
    weight: Weight = Weight.DOUBT


_LIKE = "Like the training micrographs (novelty {novelty:.2f}, below 1)."
_WITHIN = "Field of view and pixel size are within those of the training micrographs."
_ICONS = {True: say.Line(":material/check:"), None: say.Line(":material/help:")}


def draw(checks: Iterable[Check], into: DeltaGenerator) -> list[Check]:
    """Draw each check as soon as it is known: a doubt as a warning, all else as a line."""
    made = []
    with into:
        for check in checks:
            made.append(check)
            if check.sound is False:
                say.warning("{words}", words=check.words, icon=":material/warning:")
            else:
                say.markdown("{icon_} {words}", icon_=_ICONS[check.sound], words=check.words)
    return made


def doubts(micrograph: Micrograph, model_name: str, answer: Classification) -> tuple[str, ...]:
    """Return the doubts that cost no further pass of the network, a word or two each."""
    found = []
    if answer.is_novel:
        found.append("unlike the training micrographs")
    if cache.magnification_caution(micrograph, model_name):
        found.append("other scale")
    if len(answer.prediction_set) > 1:
        found.append("several classes possible")
    return tuple(found)


def run(
    micrograph: Micrograph,
    model: Classifier,
    model_name: str,
    answer: Classification,
    exclude: bool,
    level: float | None,
) -> Iterator[Check]:
    """Yield every check of one answer; those that ask the network again come last."""
    if answer.signs:
        yield _signs(answer)
    if answer.shows_nothing:
        return
    yield _novelty(answer, model)
    yield _scale(micrograph, model, model_name)
    yield _overlays(micrograph, model, model_name, level)
    yield _stability(micrograph, answer, model_name, exclude)


def _signs(answer: Classification) -> Check:
    words = say.line(
        "This is hardly a micrograph: {why}. The classes do not apply.", why="; ".join(answer.signs)
    )
    return Check(False, words, say.line("This is hardly a micrograph."), Weight.GRAVE)


def _novelty(answer: Classification, model: Classifier) -> Check:
    if answer.novelty is None:
        if model.reference is None:
            words = say.line(
                "This model keeps nothing of its training micrographs: whether this micrograph is "
                "like them cannot be said."
            )
        else:
            words = say.line(
                "This model learnt from too few originals: whether this micrograph is like them "
                "cannot be said."
            )
        return Check(
            None,
            words,
            say.line("Whether it is like the training micrographs cannot be said."),
            Weight.GRAVE,
        )
    if answer.novelty > 1:
        return Check(
            False,
            say.line(
                "Unlike the training micrographs (novelty {novelty:.2f}; 95\u00a0% of "
                "micrographs of their kind stay below 1): the classes may not apply.",
                novelty=answer.novelty,
            ),
            say.line("It is unlike the training micrographs."),
            Weight.GRAVE,
        )
    return Check(None if answer.signs else True, say.line(_LIKE, novelty=answer.novelty))


def _scale(micrograph: Micrograph, model: Classifier, model_name: str) -> Check:
    if not model.card.training_range:
        return Check(None, say.line("This model does not say at which scales it was trained."))
    if micrograph.pixel_size is None:
        return Check(
            None,
            say.line(
                "Without a pixel size, whether the scale is one it was trained at cannot be said."
            ),
        )
    caution = cache.magnification_caution(micrograph, model_name)
    if caution:
        words = say.line("The scale is not one it was trained at: {caution}.", caution=caution)
        return Check(False, words, say.line("The scale is not one it was trained at."))
    return Check(True, say.line(_WITHIN))


def _overlays(
    micrograph: Micrograph, model: Classifier, model_name: str, level: float | None
) -> Check:
    found = cache.overlay_check(micrograph, model_name, level)
    if found is None:
        return Check(True, say.line("No info bar and no letters were found that could decide."))
    shown, hidden = (_named(model, each) for each in (found.shown, found.hidden))
    if found.changes_label:
        return Check(
            False,
            say.line(
                "Info bar or letters decide: with them shown the answer is {shown}, with them "
                "hidden {hidden}.",
                shown=shown,
                hidden=hidden,
            ),
            say.line("Info bar or letters decide, not the specimen."),
            Weight.GRAVE,
        )
    return Check(
        True,
        say.line(
            "Info bar and letters do not decide: {shown} with them shown, {hidden} with them "
            "hidden.",
            shown=shown,
            hidden=tables.percent(found.hidden.probabilities[found.shown.label])
            if found.shown.present_above is None
            else hidden,
        ),
    )


def _named(model: Classifier, answer: Classification) -> say.Line:
    """Return the class, or the classes, that an answer names, with their probabilities."""
    if not answer.present:
        return say.line("no class")
    return say.joined(
        (
            say.line(
                "{name} ({probability})",
                name=model.card.display_name(label),
                probability=tables.percent(answer.probabilities[label]),
            )
            for label in answer.present
        ),
        ", ",
    )


def _stability(
    micrograph: Micrograph, answer: Classification, model_name: str, exclude: bool
) -> Check:
    found = cache.label_stability(micrograph, model_name, exclude)
    words = say.line(
        "The {label} in {share:.0f}\u00a0% of {count} small changes (flips, shifts, noise)",
        label="label stays" if answer.present_above is None else "classes named stay the same",
        share=100 * found.share,
        count=len(found.changes),
    )
    if found.share < STABLE:
        lost = ", ".join(found.lost_to[:3]) + (" …" if len(found.lost_to) > 3 else "")
        lost_to = "it is lost" if answer.present_above is None else "others are"
        return Check(
            False,
            say.line("{words}; {lost_to} when {lost}.", words=words, lost_to=lost_to, lost=lost),
            say.line("Small changes of the picture change the class."),
        )
    if answer.is_novel:  # a label that does not apply may be as steady as any
        unlike = say.line(
            "{words}, which says nothing of a picture unlike the training micrographs.", words=words
        )
        return Check(None, unlike)
    return Check(True, say.line("{words}.", words=words))
