"""What programs keep beside weights that is no weight: settings, paths, numbers of NumPy.

A checkpoint is often refused for what nobody needs of it: the Namespace of a command line, a path,
the best score as a number of NumPy. What these say is plain, so it is read as plain values from
the pickle's own arguments; as everywhere here, no class is looked up and nothing is called.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

import numpy as np

_BOXES = frozenset({"Namespace", "SimpleNamespace", "AttributeDict", "EasyDict"})
_HOLDERS = re.compile(
    r"argparse|types|easydict|(?:pytorch_)?lightning(?:_fabric|\.[a-z.]+)?"
    r"|pytorch_lightning\.[a-z.]+"
)
_PATHS = frozenset({"Path", "PurePath", "PosixPath", "PurePosixPath", "WindowsPath",
                    "PureWindowsPath"})  # fmt: skip
_ARRAYS = re.compile(r"numpy\.(?:core|_core)\.multiarray")
_KINDS = re.compile(r"[fiu][1248]|b1|U\d{1,4}")
MOST_ITEMS = 1000
_LONGEST = 100_000  # characters
_DEEPEST = 8  # dictionaries and lists within each other


class Settings(dict[Any, Any]):
    """What an object that only holds named values holds."""


class Kind:
    """A kind of number: `code` as NumPy names it, with the order of its bytes."""

    def __init__(self, code: str) -> None:
        self.code = code


class Numbers:
    """An array that is still to be told what it holds; `values` is None where nobody asks."""

    values: Any = None


def is_harmless(module: str, name: str) -> bool:
    """Tell whether a global names what holds plain values and does nothing else."""
    return (
        (name in _BOXES and _HOLDERS.fullmatch(module) is not None)
        or (name in _PATHS and module in ("pathlib", "pathlib._local"))
        or (module, name) in _OTHERS
        or (name in ("scalar", "_reconstruct") and _ARRAYS.fullmatch(module) is not None)
    )


_OTHERS = frozenset(
    {
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("_codecs", "encode"),
        ("torch.torch_version", "TorchVersion"),
    }
)


def make_harmless(name: str, arguments: tuple[Any, ...]) -> Any:
    """Return the plain value that a call of a harmless global stands for.

    Raises
    ------
    ValueError
        If its arguments are not those that its own pickle has.
    """
    if name in _BOXES:
        return Settings()
    if name in _PATHS:
        parts = [each for each in arguments if isinstance(each, str)]
        return str(PurePosixPath(*parts))[:_LONGEST]
    if name == "encode":
        text, code = arguments
        if code != "latin1" or not isinstance(text, str):
            raise ValueError("text in another code")
        return text.encode("latin1")
    if name == "TorchVersion":
        return str(arguments[0])[:100] if arguments else ""
    if name == "dtype":
        return Kind(str(arguments[0]))
    if name == "scalar":
        return _decode(arguments[0], arguments[1], 1)[0]
    return Numbers()


def set_state(target: Any, state: Any) -> bool:
    """Give a harmless object what its pickle says of it; False where it is of no such kind."""
    if isinstance(target, Settings):
        if isinstance(state, dict):
            target.update((key, value) for key, value in state.items() if isinstance(key, str))
        return True
    if isinstance(target, Kind):
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|"):
            target.code = state[1].replace("|", "") + target.code.lstrip("<>|")
        return True
    if isinstance(target, Numbers):
        _fill(target, state)
        return True
    return False


def _fill(target: Numbers, state: Any) -> None:
    """Read a vector of numbers or words; other arrays stay what nobody asks for."""
    if not isinstance(state, tuple) or len(state) != 5:
        return
    _, shape, kind, _, data = state
    plain = isinstance(shape, tuple) and len(shape) == 1 and type(shape[0]) is int
    if not plain or not 0 < shape[0] <= MOST_ITEMS:
        return
    if isinstance(data, bytes):
        target.values = _decode(kind, data, shape[0])
    elif isinstance(data, list) and all(isinstance(word, str) for word in data):
        target.values = data


def _decode(kind: Any, data: Any, count: int) -> list[Any]:
    """Return so many numbers or words; None for each that is of another kind."""
    code = kind.code if isinstance(kind, Kind) else ""
    if not _KINDS.fullmatch(code.lstrip("<>")) or not isinstance(data, bytes):
        return [None] * count
    dtype = np.dtype(code)
    if dtype.itemsize * count != len(data):
        raise ValueError("an array of another size than it says")
    words: list[Any] = np.frombuffer(data, dtype).tolist()
    return words


def plain_values(value: Any, depth: int = 0) -> Any:
    """Return a value with arrays within its dictionaries, lists and tuples as lists."""
    if isinstance(value, Numbers):
        return value.values
    if isinstance(value, Kind):
        return None
    if depth > _DEEPEST:
        return value
    if isinstance(value, dict):
        return {key: plain_values(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([plain_values(each, depth + 1) for each in value])
    return value
