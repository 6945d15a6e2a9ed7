"""What a pickle of `torch.save` says, without unpickling it: plain values and where tensors lie.

No object of a file is ever made. Its opcodes are read one by one; those that PyTorch needs for
tensors, dictionaries, lists, numbers and text become plain values here, as do objects that hold
nothing else (`settings`), and everything else ends the reading. PyTorch's own restricted unpickler
is no bound on memory: it allows `bytearray(N)`.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.learning.models.foreign.settings import is_harmless, make_harmless, set_state

MOST_OPCODES = 400_000  # 20,000 tensors; the largest network here has 800
MOST_VALUES = 1_000_000  # of a file, each counted as often as it is named
DEEPEST = 50
MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a file before PyTorch 1.6
_REBUILDS = frozenset({"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"})
_PARAMETERS = frozenset({"_rebuild_parameter", "_rebuild_parameter_with_state"})
_ODD_KINDS = frozenset(  # tensors, but of kinds that no network here uses
    {
        "_rebuild_sparse_tensor",
        "_rebuild_qtensor",
        "_rebuild_meta_tensor_no_storage",
        "_rebuild_nested_tensor",
    }
)
_DTYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "UntypedStorage": "uint8",
}
_SIZES = {  # of an element, in bytes
    **dict.fromkeys(("float64", "int64", "uint64", "complex64"), 8),
    **dict.fromkeys(("float32", "int32", "uint32", "complex32"), 4),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 2),
    **dict.fromkeys(("int8", "uint8", "bool"), 1),
    **dict.fromkeys(("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"), 1),
    "complex128": 16,
}
_PLAIN = frozenset(
    {
        *("NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1"),
        *("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE"),
        *("BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES"),
    }
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class DamagedError(ValueError):
    """A pickle that ends early, contradicts itself, or is larger than any of weights."""


class ForbiddenError(ValueError):
    """A pickle that holds more than tensors and plain values; the text is what it names."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the numbers of tensors lie: the name of a piece of the file, and how many of a kind."""

    dtype: str
    key: str
    count: int

    @property
    def size_bytes(self) -> int:
        """What the piece of the file must have."""
        return self.count * _SIZES[self.dtype]


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor of a file: a view of a storage, in elements of `dtype`, checked to lie in it.

    `dtype` is empty for a kind that no network here uses; its storage then is None.
    """

    dtype: str
    storage: Storage | None = None
    offset: int = 0
    shape: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """Number of elements."""
        product = 1
        for side in self.shape:
            product *= side
        return product

    @property
    def size_bytes(self) -> int:
        """Memory of its elements; as 32-bit numbers, where they are shorter floats."""
        floats = "float" in self.dtype
        return self.count * (max(4, _SIZES[self.dtype]) if floats else _SIZES[self.dtype])

    @property
    def whole_bytes(self) -> int:
        """How much of its storage holds whole elements."""
        size = _SIZES[self.dtype]
        return self.storage.size_bytes // size * size if self.storage is not None else 0


@dataclass(frozen=True, slots=True)
class _Name:
    """A global that a pickle names."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class _Mark:
    """Where a group of values begins on the stack."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A value that is passed on but looked at by nobody, such as a device."""


_MARK, _KEPT = _Mark(), _Kept()


def read_pickles(data: bytes, count: int) -> tuple[list[Any], int]:
    """Return the values of the first pickles in some bytes, and where the last one ends.

    Parameters
    ----------
    data : bytes
        The beginning of a file, bounded by the caller.
    count : int
        How many pickles follow each other.

    Returns
    -------
    values : list
        Plain values; `StoredTensor` for tensors and parameters, `Storage` for bare storages.
    end : int

    Raises
    ------
    DamagedError
        If a pickle is cut short, is no pickle, or is larger than any of weights.
    ForbiddenError
        If it names what is neither a tensor nor a plain value.
    """
    stream = io.BytesIO(data)
    left, values = MOST_OPCODES, []
    for _ in range(count):
        value, used = _Reader().run(stream, left)
        left -= used
        values.append(value)
        if len(values) == 1 < count and value != MAGIC:
            raise DamagedError("no file of PyTorch")
    _weigh(values)
    return values, stream.tell()


class _Reader:
    """A stack and a memo, as a pickle fills them."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, stream: io.BytesIO, most: int) -> tuple[Any, int]:
        """Return the value of one pickle and the number of its opcodes."""
        number = 0
        try:
            for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
                if number >= most:
                    raise DamagedError("more opcodes than weights need")
                if opcode.name in _PLAIN:
                    self._stack.append(_plain(_CONSTANTS.get(opcode.name, argument)))
                    continue
                step = _STEPS.get(opcode.name)
                if step is None:
                    raise ForbiddenError(f"pickle {opcode.name}")
                step(self, argument)
            value = self.pop()
            if self._stack:
                raise DamagedError("more than one value")
        except (DamagedError, ForbiddenError):
            raise
        except Exception as error:  # hostile bytes fail in every way that there is
            raise DamagedError(type(error).__name__) from error
        return value, number + 1

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise DamagedError("a mark where a value should be")
        return value

    def pop_group(self) -> list[Any]:
        """Return the values above the last mark, and take them and it from the stack."""
        group: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            group.append(value)
        return group[::-1]

    def put(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    def memoise(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def get(self, place: int) -> None:
        self._stack.append(self._memo[place])

    def extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise DamagedError("items for what is no list")
        target.extend(items)

    def fill(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise DamagedError("items for what is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | int | float | bool | None):
                raise DamagedError("a key of an odd kind")
            target[key] = value

    def name(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise DamagedError("a name that is no text")
        self._stack.append(_allowed(_Name(module, name)))

    def refuse(self, named: str) -> None:
        raise ForbiddenError(named.replace(" ", "."))

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(arguments, tuple):
            raise DamagedError("arguments that are no tuple")
        if not isinstance(function, _Name):
            raise ForbiddenError(f"a call of {type(function).__name__}")
        self._stack.append(_called(function, arguments))

    def make(self) -> None:
        """Take an object of a class that only holds values: nothing else has this opcode here."""
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, _Name) or not is_harmless(function.module, function.name):
            raise ForbiddenError("pickle NEWOBJ")
        self._stack.append(_called(function, arguments if isinstance(arguments, tuple) else ()))

    def build(self) -> None:
        """Leave out the state of an object: a dictionary's is about versions of modules."""
        state = self.pop()
        if set_state(self._stack[-1], state):
            return
        if not isinstance(self._stack[-1], dict | StoredTensor):
            raise ForbiddenError("pickle BUILD")

    def refer(self) -> None:
        self._stack.append(_storage(self.pop()))


def _steps() -> dict[str, Callable[[_Reader, Any], Any]]:
    """Return what each opcode that is no plain value does."""
    steps: dict[str, Callable[[_Reader, Any], Any]] = {
        "PROTO": lambda r, a: None,
        "FRAME": lambda r, a: None,
        "STOP": lambda r, a: None,
        "MARK": lambda r, a: r.push(_MARK),
        "POP": lambda r, a: r.pop(),
        "POP_MARK": lambda r, a: r.pop_group(),
        "MEMOIZE": lambda r, a: r.memoise(),
        "EMPTY_LIST": lambda r, a: r.push([]),
        "LIST": lambda r, a: r.push(r.pop_group()),
        "APPEND": lambda r, a: r.extend([r.pop()]),
        "APPENDS": lambda r, a: r.extend(r.pop_group()),
        "EMPTY_TUPLE": lambda r, a: r.push(()),
        "TUPLE": lambda r, a: r.push(tuple(r.pop_group())),
        "EMPTY_DICT": lambda r, a: r.push({}),
        "SETITEM": lambda r, a: r.fill([r.pop(), r.pop()][::-1]),
        "SETITEMS": lambda r, a: r.fill(r.pop_group()),
        "GLOBAL": lambda r, a: r.name(*a.split(" ", 1)),
        "STACK_GLOBAL": lambda r, a: r.name(*[r.pop(), r.pop()][::-1]),
        "INST": lambda r, a: r.refuse(a),
        "REDUCE": lambda r, a: r.call(),
        "NEWOBJ": lambda r, a: r.make(),
        "BUILD": lambda r, a: r.build(),
        "BINPERSID": lambda r, a: r.refer(),
    }
    steps |= dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), lambda r, a: r.put(int(a)))
    steps |= dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda r, a: r.get(int(a)))
    for count in (1, 2, 3):
        steps[f"TUPLE{count}"] = _tuple_of(count)
    return steps


def _tuple_of(count: int) -> Callable[[_Reader, Any], None]:
    return lambda r, a: r.push(tuple([r.pop() for _ in range(count)][::-1]))


_STEPS = _steps()


def _plain(value: Any) -> Any:
    """Return a plain value; a whole number must fit 64 bits, or be the mark of an old file."""
    if type(value) is int and value.bit_length() > 64 and value != MAGIC:
        raise DamagedError("a number that is far too large")
    return value


def _allowed(named: _Name) -> _Name:
    """Return a global that tensors and plain values need; refuse every other one."""
    module, name = named.module, named.name
    allowed = (
        (module == "collections" and name in ("OrderedDict", "Counter"))
        or (module == "torch" and (name in ("Size", "device") or name in _SIZES))
        or (module in ("torch", "torch.storage") and name in _DTYPES)
        or (module == "torch._utils" and name in _REBUILDS | _PARAMETERS | _ODD_KINDS)
        or (module == "torch.serialization" and name == "_get_layout")
        or (module == "torch" and name in ("per_tensor_affine", "per_channel_affine"))
        or (module == "torch" and name in ("QInt8Storage", "QUInt8Storage", "QInt32Storage"))
        or is_harmless(module, name)
    )
    if not allowed:
        raise ForbiddenError(str(named))
    return named


def _called(function: _Name, arguments: tuple[Any, ...]) -> Any:
    """Return what the call of an allowed global stands for; nothing is called."""
    name = function.name
    if name in _REBUILDS:
        return _tensor(arguments)
    if name in _PARAMETERS and arguments and isinstance(arguments[0], StoredTensor):
        return arguments[0]
    if name in _ODD_KINDS:
        return StoredTensor("")
    if name == "OrderedDict" and not arguments:
        return {}
    if name == "Counter" and all(type(each) is dict for each in arguments) and len(arguments) < 2:
        return arguments[0] if arguments else {}
    if name == "Size" and len(arguments) == 1 and isinstance(arguments[0], tuple):
        return arguments[0]
    if name in ("device", "_get_layout"):
        return _KEPT
    if is_harmless(function.module, name):
        try:
            return make_harmless(name, arguments)
        except (ValueError, TypeError, IndexError) as error:
            raise ForbiddenError(f"a call of {function}") from error
    raise ForbiddenError(f"a call of {function}")


def _storage(reference: Any) -> Storage:
    """Return the storage that ("storage", type, key, location, count, view) stands for."""
    if not isinstance(reference, tuple) or len(reference) not in (5, 6):
        raise DamagedError("a reference to no storage")
    word, kind, key, _, count = reference[:5]
    view = reference[5] if len(reference) == 6 else None
    named = isinstance(kind, _Name) and kind.module in ("torch", "torch.storage")
    if word != "storage" or not named or view is not None:
        raise DamagedError("a reference to no storage")
    if kind.name not in _DTYPES:
        return Storage("uint8", "", 0)  # of a quantised tensor
    if type(count) is not int or not 0 <= count < 1 << 40 or not isinstance(key, str):
        raise DamagedError("a storage without a size")
    return Storage(_DTYPES[kind.name], key, count)


def _tensor(arguments: tuple[Any, ...]) -> StoredTensor:
    """Return a view of a storage, when it lies in it and holds no element twice."""
    storage, offset, shape, strides, *more = arguments
    if not isinstance(storage, Storage):
        raise DamagedError("a tensor without a storage")
    kind = storage.dtype
    if len(more) > 2:  # storage, …, needs a gradient, hooks, dtype
        if not isinstance(more[2], _Name) or more[2].name not in _SIZES:
            raise DamagedError("a tensor of no kind")
        kind = more[2].name
    whole = isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides)
    if not whole or len(shape) > 16 or not all(map(_is_count, (offset, *shape, *strides))):
        raise DamagedError("a tensor without a shape")
    found = StoredTensor(kind, storage, offset, shape, strides)
    last = offset + sum((side - 1) * step for side, step in zip(shape, strides, strict=True))
    held = storage.size_bytes // _SIZES[kind]
    if found.count > held or (found.count and last >= held):
        raise DamagedError("a tensor beyond its storage")
    return found


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 40


def _weigh(values: list[Any]) -> None:
    """Refuse values within values that are many when written out, or that hold themselves.

    A list of ten names of a list of ten names … takes few bytes, and a billion words to print.
    """
    if _count(values, {}, 0)[0] > MOST_VALUES:
        raise DamagedError("more values than stand beside weights")


def _count(value: Any, known: dict[int, tuple[int, int]], depth: int) -> tuple[int, int]:
    """Return how many values a value holds, each as often as it occurs, and how deep they lie."""
    if not isinstance(value, dict | list | tuple):
        return 1, 0
    if id(value) not in known:
        known[id(value)] = MOST_VALUES + 1, DEEPEST  # what is found again inside itself
        if depth > DEEPEST:
            raise DamagedError("values that lie too deep")
        inside = value.values() if isinstance(value, dict) else value
        total, height = 1, 0
        for each in inside:
            below = _count(each, known, depth + 1)
            total, height = total + below[0], max(height, below[1] + 1)
            if height > DEEPEST or total > MOST_VALUES:
                raise DamagedError("values that lie too deep or are too many")
        known[id(value)] = total, height
    return known[id(value)]
