"""Pickles of PyTorch are read without unpickling: the same numbers, and nothing that takes more."""

import io
import pickle
import struct
import zipfile
from argparse import Namespace
from collections import Counter, OrderedDict
from pathlib import Path, PosixPath, PureWindowsPath
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import UnusableModel
from core.learning.models.foreign.files import read_weight_file
from core.learning.models.foreign.pickles import (
    MAGIC,
    MOST_OPCODES,
    DamagedError,
    ForbiddenError,
    read_pickles,
)
from core.learning.models.foreign.settings import plain_values


def saved(content: object, is_zip: bool = True) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=is_zip)
    return stream.getvalue()


def read(tmp_path: Path, data: bytes) -> Any:
    (tmp_path / "w").write_bytes(data)
    return read_weight_file(tmp_path / "w")


def old_form(body: bytes) -> bytes:
    """A file before PyTorch 1.6 with these opcodes as its content, and no numbers."""
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    head = b"".join(pickle.dumps(each, protocol=2) for each in (MAGIC, 1001, machine))
    return head + b"\x80\x02" + body + b"." + pickle.dumps([], protocol=2)


def changed(data: bytes, name: str, content: bytes) -> bytes:
    """An archive with one of its parts replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for entry in old.infolist():
            own = content if entry.filename.endswith(name) else old.read(entry)
            new.writestr(entry.filename, own)
    return stream.getvalue()


class Everything(torch.nn.Module):
    """Parameters, buffers of several kinds, and two names for one tensor."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.linear = torch.nn.Linear(3, 4)
        self.norm = torch.nn.BatchNorm2d(2)
        self.turned = torch.nn.Parameter(torch.rand(4, 5).t())
        self.register_buffer("part", torch.arange(20.0).reshape(4, 5)[1:3, ::2])
        for kind in (torch.float16, torch.bfloat16, torch.float64, torch.int16, torch.bool):
            self.register_buffer(f"{kind}".replace(".", "_"), torch.tensor([1, 0, 1]).to(kind))
        self.register_buffer("none", torch.zeros(0, 3))
        self.register_buffer("number", torch.tensor(7))
        self.same = self.linear


@pytest.mark.parametrize("is_zip", [True, False])
def test_tensors_are_those_that_pytorch_reads(tmp_path: Path, is_zip: bool) -> None:
    weights = Everything().state_dict()
    content = {
        "state_dict": weights,
        "optimiser": {"state": {0: {"step": torch.tensor(3.0)}}, "betas": (0.9, 0.999)},
        "milestones": Counter({3: 1}),
        "args": OrderedDict(lr=0.1, name="é", deep=[1, [2, (3, None)]]),
        "device": torch.device("cpu"),
        "size": torch.Size([2, 3]),
    }
    found = read(tmp_path, saved(content, is_zip))
    assert found.tensors.keys() == weights.keys()
    for name, value in weights.items():
        assert found.tensors[name].dtype == value.dtype
        assert torch.equal(found.tensors[name], value)
    assert found.beside["args"] == {"lr": 0.1, "name": "é", "deep": [1, [2, (3, None)]]}
    assert found.beside["milestones"] == {3: 1}
    assert found.beside["size"] == (2, 3)


def test_eight_bit_floats_and_whole_parameters_are_read(tmp_path: Path) -> None:
    weights = {
        "a": torch.tensor([1.0, -2]).to(torch.float8_e4m3fn),
        "b": torch.nn.Parameter(torch.ones(2)),
    }
    found = read(tmp_path, saved(weights)).tensors
    assert found["a"].float().tolist() == [1, -2]
    assert found["b"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"cbuiltins\nbytearray\n\x8a\x05\0\0\0\xa0\0\x85R", "builtins.bytearray"),
        (b"cbuiltins\nset\n]\x85R", "builtins.set"),
        (b"c_codecs\nencode\nX\1\0\0\0aX\5\0\0\0utf-8\x86R", "_codecs.encode"),
        (b"cbuiltins\ncomplex\nK\1K\1\x86R", "builtins.complex"),
        (b"ctorch\nzeros\n\x8a\4\xff\xff\xff\x7f\x85R", "torch.zeros"),
        (b"ccollections\nOrderedDict\n]K\1K\1\x86a\x85R", "OrderedDict"),
        (b"(iposix\nsystem\n", "posix.system"),
        (b"X\5\0\0\0posixX\6\0\0\0system\x93", "posix.system"),
        (b"]2", "DUP"),
        (b"\x82\1", "EXT1"),
        (b"ctorch\nSize\n)\x81", "NEWOBJ"),
        (b"]}b", "BUILD"),
    ],
)
def test_what_weights_do_not_need_is_named_and_not_made(
    tmp_path: Path, body: bytes, named: str
) -> None:
    with pytest.raises(ForbiddenError, match=named):
        read_pickles(b"\x80\x02" + body + b".", 1)
    with pytest.raises(UnusableModel, match="holds more than weights"):
        read(tmp_path, old_form(body))


def laughs(copies: int = 40) -> bytes:
    """A list that holds the list before it twice, and so on: two to the fortieth in all."""
    body = b"(]q\0"
    for place in range(copies):
        body += b"](h" + bytes([place]) + b"h" + bytes([place]) + b"eq" + bytes([place + 1])
    return body + b"t"


@pytest.mark.parametrize(
    "body",
    [
        b"](" + b"N" * (MOST_OPCODES + 1) + b"e",
        b"]" * 60 + b"a" * 59,
        b"]" * 100_000 + b"a" * 99_999,
        laughs(),
        b"]q\0h\0a",  # a list in itself
        b"\x8a\x0b" + b"\x7f" * 11,
        b"X\xff\xff\xff\x7fabc",
        b"h\7",
        b"(",
        b"a",
        b"NN",
        b"}(]Nu",
        b"}(Nu",
        b"QN",
        b"Nq\0",
        b"\xff",
    ],
)
def test_what_grows_or_contradicts_itself_is_damaged(tmp_path: Path, body: bytes) -> None:
    with pytest.raises((DamagedError, ForbiddenError)):
        read_pickles(b"\x80\x02" + body + (b"" if body == b"Nq\0" else b"."), 1)
    with pytest.raises(UnusableModel):
        read(tmp_path, old_form(body))


def view(offset: int, shape: bytes, strides: bytes, count: int = 6) -> bytes:
    """Opcodes of {"a": tensor} with any view of a storage of six numbers."""
    text = b"".join(b"X" + struct.pack("<I", len(t)) + t for t in (b"storage",))
    key, place = b"X\1\0\0\x000", b"X\3\0\0\0cpu"
    number = b"J" + struct.pack("<i", offset)
    storage = b"(" + text + b"ctorch\nFloatStorage\n" + key + place + b"K" + bytes([count]) + b"tQ"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number + shape + strides
    return b"\x80\x02}X\1\0\0\0a" + call + b"\x89ccollections\nOrderedDict\n)RtRs."


GOOD = view(0, b"K\2K\3\x86", b"K\3K\1\x86")
WEIGHTS = saved({"a": torch.arange(6.0)})


def test_a_view_that_lies_in_its_storage_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, changed(WEIGHTS, "data.pkl", GOOD)).tensors["a"]
    assert found.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    "pickled",
    [
        view(1, b"K\2K\3\x86", b"K\3K\1\x86"),
        view(-1, b"K\2\x85", b"K\1\x85"),
        view(0, b"K\7\x85", b"K\1\x85"),
        view(0, b"K\7\x85", b"K\0\x85"),
        view(0, b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", b"K\0K\0\x86"),
        view(0, b"K\2\x85", b"J\xff\xff\xff\xff\x85"),
        view(0, b"K\2K\3\x86", b"K\1\x85"),
        view(0, b"]", b"]"),
        view(0, b"K\x0a\x85", b"K\1\x85", count=10),  # more than the file holds of it
        view(0, b"K\2\x85", b"K\1\x85", count=2),
    ],
)
def test_a_view_beyond_the_file_is_refused(tmp_path: Path, pickled: bytes) -> None:
    with pytest.raises(UnusableModel, match="cut short"):
        read(tmp_path, changed(WEIGHTS, "data.pkl", pickled))


def test_a_file_of_a_machine_with_other_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="cut short"):
        read(tmp_path, changed(WEIGHTS, "byteorder", b"big"))


def test_an_archive_with_two_parts_of_one_name_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO(WEIGHTS)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("archive/data.pkl", GOOD)
    with pytest.raises(UnusableModel, match="cut short"):
        read(tmp_path, stream.getvalue())


def test_short_floats_count_as_the_numbers_they_become(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.learning.models.foreign import limits

    data = saved({"a": torch.zeros(100_000, dtype=torch.float8_e5m2)})
    read(tmp_path, data)
    monkeypatch.setattr(limits, "MAX_WEIGHTS_MB", 0.3)
    with pytest.raises(UnusableModel, match="a weight file may have"):
        read(tmp_path, data)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Namespace(size=96, names=["a"]), {"size": 96, "names": ["a"]}),
        (PosixPath("/data/em"), "/data/em"),
        (PureWindowsPath("runs"), "runs"),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.array(["rods", "trees"]), ["rods", "trees"]),
        (np.array(["rods", "trees"], object), ["rods", "trees"]),
        (np.array([0.5, 0.25], np.float32), [0.5, 0.25]),
        (np.ones((2, 2)), None),  # nobody asks for tables
        (np.zeros(5000), None),
    ],
    ids=lambda each: type(each).__name__,
)
def test_settings_beside_weights_are_read_as_plain_values(
    value: object, plain: object, protocol: int
) -> None:
    (found,), _ = read_pickles(pickle.dumps({"is": value}, protocol), 1)
    assert plain_values(found) == {"is": plain}


@pytest.mark.parametrize(
    "body",
    [
        b"cnumpy\ndtype\nX\2\0\0\0O8\x89\x88\x87R",  # objects: nothing is decoded
        b"cargparse\nArgumentParser\n)\x81",
        b"cnumpy._core.multiarray\nscalar\nNN\x86R",
        b"cnumpy\nload\nX\1\0\0\0a\x85R",
    ],
)
def test_settings_open_no_other_door(body: bytes) -> None:
    try:
        (found,), _ = read_pickles(b"\x80\x02" + body + b".", 1)
    except ForbiddenError:
        return
    assert plain_values([found]) in ([None], [[None]])
