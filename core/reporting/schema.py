"""What the values of a frozen dataclass may be, read from its annotations; in our sentences.

A field is declared once, with its type and its bounds:

    clusters: Annotated[int, Interval(ge=2, le=20)] = 3
    layer: Annotated[str, Predicate(is_name), Must("be a name")] | None = None

Pydantic does the checking and is loaded with the first check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from annotated_types import Interval

_LONGEST_VALUE = 60  # letters of a wrong value that are repeated to the person
_KINDS = {int: "be a whole number", str: "be text", bool: "be true or false"}


@dataclass(frozen=True, slots=True)
class Must:
    """What a value of a field must do, as the sentence says it: "be from 0.5 to 0.99 or null"."""

    say: str


def checked(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a dataclass's fields as its annotations allow them.

    Nothing is converted but a list where a tuple may stand: "3" and 3.0 are no whole numbers.

    Parameters
    ----------
    kind : type
        A dataclass. Bounds are `annotated_types`' own (`Interval`, `Predicate`), words are `Must`.
    values : mapping of str to object
        By field.

    Raises
    ------
    ValueError
        One sentence about the first field whose value cannot be.
    """
    from pydantic import ValidationError

    try:
        model = _model(kind).model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = str(first["loc"][0])
        must = _must(_hints(kind)[name], values[name], first["type"])
        raise ValueError(f"{name} must {must}, got {brief(values[name])}") from error
    return {name: getattr(model, name) for name in values}


def read_part(name: str, value: object, default: Any) -> Any:
    """Return settings that belong together from JSON; those left out take their defaults.

    Parameters
    ----------
    name : str
        Of the field that holds them.
    value : object
        As JSON gave it.
    default : object
        The dataclass with its defaults.

    Raises
    ------
    ValueError
        If the value is no object of these fields, or a value is of another type.
    """
    known = {field.name: getattr(default, field.name) for field in fields(default)}
    if not isinstance(value, dict) or not value.keys() <= known.keys():
        raise ValueError(f"{name} must have the fields {', '.join(known)}, got {brief(value)}")
    given: dict[str, Any] = {}
    for key, each in value.items():
        plain = tuple(each) if isinstance(each, list) else each
        try:
            given |= checked(type(default), {key: plain})
        except ValueError as error:
            raise ValueError(
                f"{key} of {name} must be like {known[key]}, got {brief(each)}"
            ) from error
    return type(default)(**given)


def brief(value: object) -> str:
    """Return the beginning of a value as Python writes it."""
    try:
        return repr(value)[:_LONGEST_VALUE]
    except ValueError:  # an integer with more digits than Python prints
        return "a number that is far too large"


@cache
def _model(kind: type) -> Any:
    """Return the schema of a dataclass; any field may be left out."""
    from pydantic import ConfigDict, create_model

    config = ConfigDict(strict=True, allow_inf_nan=False, protected_namespaces=())
    shape = {name: (hint, None) for name, hint in _hints(kind).items()}
    return create_model(kind.__name__, __config__=config, **shape)  # type: ignore[call-overload]


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in fields(kind)}


def _must(hint: Any, value: object, error: str) -> str:
    """Return what a field's value must do, in the words that fit what is wrong with it."""
    bare, notes = _parts(hint)
    is_kind = isinstance(value, bare) if isinstance(bare, type) else True
    if bare in _KINDS and (not is_kind or error.endswith("_type")):
        return _KINDS[bare]
    for note in notes:
        if isinstance(note, Must):
            return note.say
        if isinstance(note, Interval):
            return f"be from {note.ge} to {note.le}"
    if isinstance(bare, type) and is_dataclass(bare):
        return f"be a {bare.__name__}"
    return "be of another kind"


def _parts(hint: Any) -> tuple[Any, tuple[object, ...]]:
    """Return the type of a field without its notes and "or None", and the notes."""
    notes: tuple[object, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *more = get_args(hint)
        notes = tuple(more)
    if get_origin(hint) in (Union, UnionType):
        bare, inner = _parts(next(each for each in get_args(hint) if each is not type(None)))
        return bare, notes + inner
    return hint, notes
