"""What an ONNX program does last, read from its bytes: a softmax, sigmoids, or neither.

Scores alone do not tell: small logits lie between 0 and 1, too. Only the fields that are needed of
the program's protocol buffers are walked through; nothing is decoded or copied besides names.
"""

from __future__ import annotations

from collections.abc import Iterator

_GRAPH = 7  # of a model
_NODE, _OUTPUT = 1, 12  # of a graph
_TAKES, _GIVES, _KIND = 1, 2, 4  # of a node
_NAME = 1  # of an output
_PASSED = frozenset({"Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout"})
_MOST_NODES, _MOST_PASSED = 200_000, 50
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5  # kinds of fields

Field = tuple[int, memoryview]


def last_operator(program: bytes) -> str:
    """Return the kind of operator that gives the first output, such as Sigmoid.

    What only changes the shape or the type of numbers is passed over.

    Returns
    -------
    str
        Empty where the program cannot be read so.
    """
    try:
        graph = next(value for number, value in _fields(memoryview(program)) if number == _GRAPH)
        made_by, name = _read_graph(graph)
        for _ in range(_MOST_PASSED):
            kind, source = made_by[name]
            if kind not in _PASSED:
                return kind
            name = source
    except (KeyError, StopIteration, ValueError, IndexError):
        return ""
    return ""


def _read_graph(graph: memoryview) -> tuple[dict[str, tuple[str, str]], str]:
    """Return which kind of node gives each name, and from what; and the first output's name."""
    made_by: dict[str, tuple[str, str]] = {}
    outputs = []
    for number, value in _fields(graph):
        if number == _NODE and len(made_by) < _MOST_NODES:
            parts: dict[int, str] = {}
            for inner, piece in _fields(value):
                if inner in (_TAKES, _GIVES, _KIND):
                    parts.setdefault(inner, str(piece, "utf-8", "replace"))
            made_by[parts.get(_GIVES, "")] = parts.get(_KIND, ""), parts.get(_TAKES, "")
        elif number == _OUTPUT:
            outputs += [str(p, "utf-8", "replace") for n, p in _fields(value) if n == _NAME]
    return made_by, outputs[0]


def _fields(message: memoryview) -> Iterator[Field]:
    """Yield the numbers of a message's fields with the bytes of those that hold bytes.

    Raises
    ------
    ValueError
        If it is no such message.
    """
    place, empty = 0, message[:0]
    while place < len(message):
        key, place = _read_varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == _BYTES:
            size, place = _read_varint(message, place)
            if place + size > len(message):
                raise ValueError("a field ends behind its message")
            yield number, message[place : place + size]
            place += size
            continue
        if kind == _VARINT:
            _, place = _read_varint(message, place)
        elif kind in (_EIGHT, _FOUR):
            place += 8 if kind == _EIGHT else 4
        else:
            raise ValueError("no such kind of field")
        yield number, empty


def _read_varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number has no end")
