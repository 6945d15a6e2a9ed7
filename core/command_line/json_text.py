"""JSON that every parser takes and every terminal shows."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from typing import Any


def as_json(value: object) -> str:
    """Return JSON that every parser takes, in what the terminal can show."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return json.dumps(_plain(value), indent=2, ensure_ascii=encoding != "utf8", allow_nan=False)


def _plain(value: object) -> Any:
    """Return a value as JSON holds it: no NaN, keys of text, no bytes that are no text."""
    if isinstance(value, Mapping):
        return {str(_plain(str(key))): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bool | int | None):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return os.fsencode(str(value)).decode(errors="backslashreplace")
