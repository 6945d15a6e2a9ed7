"""Older studies made new: one step from each version to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.errors import UserError

KIND = "micrographia-study"
VERSION = 1
Step = Callable[[dict[str, Any]], dict[str, Any]]
# Version -> what makes a study.json of it one of the next; a step is never changed afterwards.
STEPS: Mapping[int, Step] = {}


def upgraded(
    values: Any, steps: Mapping[int, Step] = STEPS, newest: int = VERSION
) -> tuple[dict[str, Any], int]:
    """Return what study.json holds as the newest version writes it, and the version it was of.

    Raises
    ------
    UserError
        If it is no study, or of a version that comes after this program.
    """
    if not isinstance(values, dict) or values.get("kind") != KIND:
        raise UserError(
            f'This is no study: its study.json needs "kind": "{KIND}". Choose the file that “Save '
            "study” wrote."
        )
    version = values.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise UserError("The study does not say its version. Save it again.")
    if version > newest:
        raise UserError(
            f"The study is of version {str(version)[:12]} and this program reads version {newest}: "
            "update Micrographia."
        )
    for older in range(version, newest):
        values = steps[older]({**values, "version": older})
    return {**values, "version": newest}, version
