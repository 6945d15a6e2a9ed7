"""The study as a notebook (nbformat 4): the same digits through `core`, cell by cell."""

from __future__ import annotations

from typing import Any

from core.reporting.study.model import Study

_OPEN = """\
from core.reporting.study import compare_rows, open_study, run_study

study = open_study({here!r})  # the folder of this notebook, unpacked
for member in study.members:
    print(member.name, member.sample, member.pixel_size, member.pixel_size_from)
"""
_RUN = """\
result = run_study(study, "repeated"{given})
result.rows
"""
_CHECK = """\
different = compare_rows(study, result)
print("identical to the last digit" if not different else different)
assert not different
"""
_PLOT = """\
fields = result.fields
fields.groupby("sample")["target_percent"].agg(["count", "mean", "std"])
"""


def write(study: Study) -> dict[str, Any]:
    """Return the notebook as JSON holds it.

    It runs where Micrographia can be imported (`python -m core` works) and the package lies
    unpacked beside it.
    """
    contained = all(member.file for member in study.members)
    given = "" if contained else ', given=["FOLDER_OF_THE_MICROGRAPHS"]'
    told = [
        f"# {_one_line(study.title) or 'A study of electron micrographs'}",
        _one_line(", ".join(study.authors)),
        _one_line(study.note),
        f"{len(study.members)} micrographs. Unpack the study, start this notebook in the folder "
        "where `python -m core` works or install Micrographia, and run all cells.",
    ]
    cells = [_words("\n\n".join(line for line in told if line)), _code(_OPEN.format(here="."))]
    cells += [_words("Repeat the analysis by the study’s recipe."), _code(_RUN.format(given=given))]
    if study.results:
        cells += [_words("Compare every number with those that were saved."), _code(_CHECK)]
    if study.samples:
        cells += [_words("Area of the target per sample, in percent."), _code(_PLOT)]
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number}"
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _words(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": text.rstrip(),
    }


def _one_line(text: str) -> str:
    """Return a person's words as plain text of a notebook: no markup, no link."""
    plain = " ".join(text.split()).replace("<", "&lt;")
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#!|>" else c for c in plain)
