"""Names that scripts may rely on say what goes in, what comes out and what can go wrong."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"^\.\. auto(?:function|class):: (core[\w.]+)\.(\w+)$", re.MULTILINE)
NAMES = _NAMED.findall((ROOT / "docs" / "api.md").read_text(encoding="utf-8"))


def sections(text: str) -> dict[str, str]:
    """Return a docstring's sections by their headings, as numpydoc writes them."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", inspect.cleandoc(text), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def described(section: str) -> set[str]:
    """Return the parameters of a section: names before " : ", by commas."""
    heads = re.findall(r"^(\w[\w, ]*) : |^\*\*(\w+)$", section, flags=re.MULTILINE)
    return {name.strip() for head in heads for name in "".join(head).split(",")}


def raises(function: Callable[..., Any]) -> bool:
    """Tell whether a function itself raises something."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, ast.Raise) for node in ast.walk(tree))


def faults(found: Any) -> list[str]:
    """Return what a docstring lacks."""
    said = sections(found.__doc__ or "")
    if inspect.isclass(found):
        own = {name for name in inspect.signature(found).parameters if not name.startswith("_")}
        missing = own - described(said.get("Parameters", said.get("Attributes", "")))
        return [f"no word about {name}" for name in sorted(missing)]
    own = set(inspect.signature(found).parameters)
    missing = own - described(said.get("Parameters", ""))
    lacks = [f"no word about {name}" for name in sorted(missing)]
    lacks += [] if "Returns" in said or "Yields" in said else ["no Returns"]
    return lacks + (["no Raises"] if raises(found) and "Raises" not in said else [])


@pytest.mark.parametrize(("room", "name"), NAMES, ids=lambda part: part.rsplit(".", 1)[-1])
def test_public_name_says_what_it_takes_and_gives(room: str, name: str) -> None:
    assert not faults(getattr(importlib.import_module(room), name))


def test_a_poor_docstring_is_seen() -> None:
    def poor(image: Any, low: float) -> None:
        """Say nothing.

        Parameters
        ----------
        image : ndarray
        """
        raise ValueError

    assert faults(poor) == ["no word about low", "no Returns", "no Raises"]
