"""Which models there are and what their cards say, told without torch.

A model is a folder with a card: one that is installed beside the program, or one that a person
brought to this process, which is kept until the process ends.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CARD = "card.json"
PARTICLES = "particles"  # the `kind` in the card of a model that finds particles and names no class
SHIPPED = "em-morph5-2"  # the one that is used when none is named
WEIGHT_SUFFIXES = (".pth", ".pt", ".tar", ".ckpt", ".bin", ".safetensors", ".onnx")
CONFIG = "config.json"  # of a folder that Hugging Face's programs wrote
PREPARED_BY = "preparation_from"  # a key of a card's training: who said how frames are prepared
STATED_BY_FILE, CHOSEN, ASSUMED = "the file", "a person", "nobody"  # its values
ADDED = "MICROGRAPHIA_ADDED_MODELS"  # a variable, so that worker processes find the folder, too


def models_folder() -> Path:
    """Return the folder that holds the models; `MICROGRAPHIA_MODELS` overrides the shipped one."""
    override = os.environ.get("MICROGRAPHIA_MODELS")
    return Path(override) if override else Path(__file__).resolve().parents[3] / "models"


def added_folder() -> Path | None:
    """Return the folder of the models that people brought; None before the first one."""
    stated = os.environ.get(ADDED)
    return Path(stated) if stated else None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file; no more than a piece of it is ever in memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def list_models() -> list[str]:
    """Return the names of the installed classifiers.

    Returns
    -------
    list of str
        Sorted, but for the shipped one, which comes first: the usual. `load_model` takes each.
    """
    folder = models_folder()
    cards = folder.glob(f"*/{CARD}") if folder.is_dir() else ()
    names = [card.parent.name for card in cards if not _is_of_particles(card)]
    return sorted(names, key=lambda name: (name != SHIPPED, name))


def _is_of_particles(card: Path) -> bool:
    """Tell a card of a particle model, which is no classifier; a broken card is a classifier's."""
    try:
        changed_ns = card.stat().st_mtime_ns
    except OSError:
        return False
    return _finds_particles(card, changed_ns)


@functools.lru_cache(maxsize=256)  # pages list the models at every run
def _finds_particles(card: Path, changed_ns: int) -> bool:
    """Tell whether a card, as it was changed last, says that its model finds particles."""
    del changed_ns
    with contextlib.suppress(OSError, ValueError, RecursionError):
        facts = json.loads(card.read_text(encoding="utf-8"))
        return isinstance(facts, dict) and facts.get("kind") == PARTICLES
    return False


def find_model(name_or_path: str | Path) -> Path | None:
    """Return the folder, or the weight file, that a name or a path stands for; None for none."""
    added = added_folder()
    places = [models_folder() / str(name_or_path), Path(name_or_path)]
    places += [added / str(name_or_path)] if added else []
    for place in places:
        with contextlib.suppress(OSError, ValueError):  # a name that no folder can have
            if (place / CARD).is_file() or place.is_file() or (place / CONFIG).is_file():
                return place
    return None


def read_facts(name_or_path: str | Path) -> Mapping[str, Any]:
    """Return what a model's card says, unchecked; empty when it cannot be read."""
    place = find_model(name_or_path)
    with contextlib.suppress(OSError, ValueError, RecursionError):
        if place is not None:
            facts = json.loads((place / CARD).read_text(encoding="utf-8"))
            return facts if isinstance(facts, dict) else {}
    return {}


def is_model(name: str | Path) -> bool:
    """Tell a model folder, its name, or a weight file (by its ending) from a micrograph."""
    place = find_model(name)
    is_folder = place is not None and any((place / part).is_file() for part in (CARD, CONFIG))
    return is_folder or Path(name).suffix.lower() in WEIGHT_SUFFIXES


def say_what_is_missing(facts: Mapping[str, Any]) -> str:
    """Return what a model cannot tell for lack of data in its card; empty when it has all.

    Parameters
    ----------
    facts : mapping
        The values of a card, as `read_facts` or `dataclasses.asdict` give them.
    """
    calibration = facts.get("calibration") or {}
    parts = []
    if (facts.get("training") or {}).get(PREPARED_BY) == ASSUMED:
        parts.append(
            "Nobody has said yet how frames are prepared for this model: its answers may be off."
        )
    if "temperature" not in calibration:
        parts.append("This model has no calibration: its probabilities may be too sure.")
    has = {
        "prediction sets": "conformal_threshold" in calibration or facts.get("reference"),
        "novelty warning": facts.get("reference"),
        "measured scores": facts.get("metrics"),
    }
    absent = [what for what, there in has.items() if not there]
    if absent:
        parts.append(f"{'Also missing' if parts else 'Missing'}: {', '.join(absent)}.")
    return " ".join(parts)
