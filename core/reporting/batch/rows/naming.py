"""Which sample a micrograph shows, and its class: from folder, file name or metadata."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath

import numpy as np

from core.micrograph import Micrograph
from core.reporting.recipe import Recipe

LONGEST = 120
_DIVIDERS = re.compile(r"[\s._-]+")
_COUNTED = re.compile(r"[\s._()#-]*\d+[a-z]?\)?$")  # "AgC_07", "AgC 7", "AgC (7)", "AgC7b"
RULES = ("folder", "name:start", "name:1", "name:2", "name:-1", "folder:2")  # as they are tried
_MOST_GROUPS = 40
_NOBODY = Micrograph("", np.zeros((1, 1), np.uint8))


def find_part(where: str, micrograph: Micrograph, path: str) -> str:
    """Return the part of a path or of the metadata that a recipe points at; "" when there is none.

    Parameters
    ----------
    where : str
        As `Recipe.sample_from` describes it.
    micrograph : Micrograph
        For its metadata.
    path : str
        The name with its folders, divided by "/" or "\\\\".
    """
    kind, _, rest = where.partition(":")
    pure = PurePosixPath(path.replace("\\", "/"))
    found: object = ""
    if kind == "metadata":
        found = micrograph.metadata.get(rest, "")
    elif kind == "folder":
        folders = [part for part in pure.parts[:-1] if part not in ("/", "..", ".")]
        found = _pick(folders, -int(rest or 1))
    elif kind == "name" and rest == "start":
        found = _COUNTED.sub("", pure.stem) or pure.stem
    elif kind == "name":
        parts = [part for part in _DIVIDERS.split(pure.stem) if part]
        found = _pick(parts, int(rest) - 1 if int(rest) > 0 else int(rest))
    return " ".join(str(found).split())[:LONGEST]


def find_sample(recipe: Recipe, micrograph: Micrograph | None, path: str) -> str:
    """Return which sample a micrograph shows; "" when nobody says.

    What a person said of a file of this name counts first, with its folders or without them.

    Parameters
    ----------
    recipe : Recipe
    micrograph : Micrograph or None
        None where only names are known: then metadata name nothing.
    path : str
        Its name with its folders.
    """
    stated = _stated(recipe.samples)
    if stated:
        parts = PurePosixPath(path.replace("\\", "/")).parts
        tails = ("/".join(parts[at:]) for at in range(len(parts)))
        if found := next((stated[tail] for tail in tails if tail in stated), ""):
            return found
    if micrograph is None and recipe.sample_from.startswith("metadata"):
        return ""
    return find_part(recipe.sample_from, micrograph or _NOBODY, path)


def count_samples(rule: str, names: Iterable[str]) -> dict[str, int]:
    """Return how many of the files each sample would have by a rule, in their order."""
    found = [find_part(rule, _NOBODY, name) for name in names]
    return dict(Counter(name for name in found if name))


def suggest_rule(names: Sequence[str]) -> str:
    """Return by which rule the files' names fall into samples of several files; "" for none."""
    for rule in RULES:
        counts = count_samples(rule, names)
        many = 2 <= len(counts) <= min(_MOST_GROUPS, len(names) // 2)
        if many and sum(counts.values()) == len(names) and min(counts.values()) > 1:
            return rule
    return ""


@lru_cache(maxsize=8)
def _stated(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {name.replace("\\", "/"): sample for name, sample in pairs}


def _pick(parts: list[str], index: int) -> str:
    return parts[index] if -len(parts) <= index < len(parts) else ""


def match_class(label: str, classes: Mapping[str, str]) -> str:
    """Return the id of the class that a label means, by id or by its words; "" when it is none.

    Parameters
    ----------
    label : str
    classes : mapping
        Id to the words for people.
    """
    wanted = _plain(label)
    for name, title in classes.items():
        if wanted and wanted in (_plain(name), _plain(title)):
            return name
    return ""


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
