"""What models say of themselves, and how a new one gets in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.learning.models import installed

if TYPE_CHECKING:
    from core.learning.adding import AddedModel
    from core.learning.holding import Hand


def has_model(name: str) -> bool:
    """Tell whether a model is there, installed or added."""
    return installed.find_model(name) is not None


def missing_in_model(name: str, *, but_preparation: bool = False) -> str:
    """Return what a model cannot tell, in words; empty for one that was calibrated here.

    How frames are prepared can be left out, where the page asks for it.
    """
    facts = installed.read_facts(name)
    if but_preparation:
        facts = {**facts, "training": {}}
    return installed.say_what_is_missing(facts) if not facts.get("calibration") else ""


def notes_to_read(model: AddedModel) -> tuple[str, ...]:
    """Return what was told from the weights, without what the page asks for and says itself."""
    from core.learning import adding

    if not can_choose_preparation(model):
        return model.notes
    return tuple(note for note in model.notes if not note.startswith(adding.UNSAID))


def architecture_title(name: str) -> str:
    """Return the name of an architecture as people write it."""
    from core.learning.models import title

    return title(name)


def add_model(path: Path, file_name: str, visitor: str = "") -> AddedModel:
    """Return the model that was made of an uploaded file; nothing is cached."""
    from core.learning import adding

    return adding.add_model(path, file_name, visitor)


def new_hand() -> Hand:
    """Return what holds the added models that one session works with."""
    from core.learning.holding import Hand

    return Hand()


def rename_classes(added: AddedModel, words: tuple[str, ...]) -> AddedModel:
    """Return the same network under other names of its classes."""
    from core.learning import adding

    return adding.rename_classes(added, words)


def choose_preparation(added: AddedModel, prepare: str) -> AddedModel:
    """Return the same network with frames prepared as a person says."""
    from core.learning import adding

    return adding.choose_preparation(added, prepare)


def choose_labels(added: AddedModel, several: bool) -> AddedModel:
    """Return the same network whose classes are answered one by one, or of which one is true."""
    from core.learning import adding

    return adding.choose_labels(added, several=several)


def is_preparation_chosen(added: AddedModel) -> bool:
    """Tell whether a file or a person said how frames are prepared for a model."""
    return added.card.training.get(installed.PREPARED_BY) != installed.ASSUMED


def can_choose_preparation(added: AddedModel) -> bool:
    """Tell whether a model came from elsewhere, so that its preparation may be another one."""
    return installed.PREPARED_BY in added.card.training


def usual_preparations() -> dict[str, str]:
    """Return the usual ways to prepare frames: what `choose_preparation` takes -> in words."""
    from core.learning.models import USUAL

    return dict(USUAL)


def preparation_in_words(added: AddedModel) -> str:
    """Return how frames are prepared for a model, as a phrase."""
    from core.learning.models import describe_preparation, make_preparation

    return describe_preparation(make_preparation(added.card.preparation))


def zip_model(name: str) -> bytes:
    """Return an added model as a ZIP of its folder."""
    from core.learning import adding

    return adding.zip_model(name)
