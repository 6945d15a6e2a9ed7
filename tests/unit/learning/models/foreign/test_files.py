"""What is no weight file, or more than one, is refused in one sentence."""

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save
from sklearn.linear_model import Ridge

from core.errors import UnusableModel
from core.learning.models.foreign import files, limits
from core.learning.models.foreign.files import read_weight_file
from core.learning.models.foreign.opening import open_weights


class Hostile:
    """A pickle of this runs a command where it is opened carelessly."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.putenv, ("MICROGRAPHIA_HACKED", "1")


def torch_bytes(content: object, **options: object) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, **options)
    return stream.getvalue()


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("L", (4, 4)).save(stream, "PNG")
    return stream.getvalue()


def archive(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return stream.getvalue()


def bomb() -> bytes:
    """A small archive that unpacks to a thousand times its size."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", b"\x80\x02}.")
        file.writestr("archive/data/0", bytes(3_000_000))
    return stream.getvalue()


WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(2)}
SAFE = save(WEIGHTS)
TORCH = torch_bytes(WEIGHTS)


def read(tmp_path: Path, data: bytes) -> files.WeightFile:
    (tmp_path / "weights").write_bytes(data)
    return read_weight_file(tmp_path / "weights")


@pytest.mark.parametrize(
    "data",
    [SAFE, TORCH, torch_bytes(WEIGHTS, _use_new_zipfile_serialization=False)],
    ids=["safetensors", "torch", "torch before 1.6"],
)
def test_every_kind_is_told_by_its_content(tmp_path: Path, data: bytes) -> None:
    found = read(tmp_path, data)
    assert torch.equal(found.tensors["a"], WEIGHTS["a"])
    assert (found.beside, found.wrapper) == ({}, "")


def test_what_stands_beside_the_weights_is_kept(tmp_path: Path) -> None:
    found = read(tmp_path, torch_bytes({"model_state_dict": WEIGHTS, "epoch": 3, "task": "t"}))
    assert found.wrapper == "model_state_dict"
    assert found.beside == {"epoch": 3, "task": "t"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (picture(), "picture"),
        (b"\xff\xd8\xff\xe0 a photograph", "picture"),
        (b"<!doctype html><title>404</title>", "no weight file"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"GGUF\3\0\0\0", "language model"),
        (b"\x93NUMPY\1\0v\0", "array of NumPy"),
        (b'<?xml version="1.0"?>\n<net name="x">', "OpenVINO"),
        (b"\x89HDF\r\n\x1a\n", r"Keras.*tf2onnx"),
        (b"\x1c\0\0\0TFL3", r"TensorFlow Lite.*tf2onnx"),
        (pickle.dumps(Ridge(), protocol=2), r"model of sklearn.*skl2onnx"),
        (b"PK\3\4 cut short", "cut short"),
        (SAFE[:-3], "cut short"),
        (SAFE[:40], "cut short"),
        (TORCH[:-40], "cut short"),
        (b"\x80\x02}q\x00", "cut short"),
        (struct.pack("<Q", 5_000_000_000) + b'{"a": 1}', "header of 5,000 MB"),
        (struct.pack("<Q", 2**64 - 1) + b"{}", "header"),
        (archive("a/readme.txt"), "holds no weights"),
        (archive("m/data.pkl", "m/code/net.py"), "TorchScript"),
        (archive("m/data.pkl"), "cut short"),
        (torch_bytes([1, 2]), "no named weights"),
        (torch_bytes({}), "no named weights"),
        (torch_bytes({"epoch": 3}), "no named weights"),
        (torch_bytes({"state_dict": {"a": 1}}), "no named weights"),
        (torch_bytes({1: WEIGHTS["a"]}), "no named weights"),
        (torch_bytes({"a": torch.zeros(2, 2).to_sparse()}), "kind that no network"),
        (torch_bytes({"a": torch.zeros(1).expand(100, 100)}), "cut short"),
        (torch_bytes({"a": torch.zeros(2, dtype=torch.complex64)}), "kind that no network"),
    ],
)
def test_bad_bytes_get_one_sentence(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(UnusableModel, match=message) as caught:
        read(tmp_path, data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch_bytes({"model_state_dict": WEIGHTS, "task": Hostile()}),
        lambda: torch_bytes({"a": Hostile()}, _use_new_zipfile_serialization=False),
        lambda: pickle.dumps(Hostile(), protocol=2),
        lambda: pickle.dumps({"a": Hostile()}, protocol=4),
        lambda: torch_bytes(torch.nn.Linear(2, 2)),
    ],
    ids=["zip", "before 1.6", "pickle 2", "pickle 4", "whole module"],
)
def test_anything_executable_is_refused_and_not_run(
    tmp_path: Path, make: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, str]] = []
    data = make()
    monkeypatch.setattr(os, "putenv", lambda *given: ran.append(given))
    with pytest.raises(UnusableModel, match=r"could run code.*state_dict"):
        read(tmp_path, data)
    assert not ran


def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_WEIGHTS_MB", 2)
    assert len(bomb()) < 10_000
    with pytest.raises(UnusableModel, match="has 3 MB, a weight file may have 2"):
        read(tmp_path, bomb())


def test_a_file_too_large_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_WEIGHTS_MB", 0.0001)
    with pytest.raises(UnusableModel, match="Export the weights alone"):
        read(tmp_path, TORCH)


def test_a_folder_or_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="cannot be read"):
        read_weight_file(tmp_path)
    with pytest.raises(UnusableModel, match="cannot be read"):
        read_weight_file(tmp_path / "none.pth")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("config.json", "metadata.json", "model.weights.h5"), r"Keras model.*tf2onnx"),
        (("m/saved_model.pb", "m/variables/variables.index"), r"TensorFlow or Keras"),
        (("m/archive_format", "m/data/weights/weight_0"), r"torch\.export.*state_dict"),
        (("a.npy", "b.npy"), "arrays of NumPy"),
        (("a/readme.txt",), "holds no weights"),
    ],
)
def test_archives_of_other_programs_are_named(
    tmp_path: Path, names: tuple[str, ...], message: str
) -> None:
    (tmp_path / "file").write_bytes(archive(*names))
    with pytest.raises(UnusableModel, match=message):
        open_weights(tmp_path / "file")


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"x\x9c", "joblib"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"Rar!\x1a\x07", "RAR"),
        (b"w.pth".ljust(257, b"\0") + b"ustar", "tar"),
    ],
)
def test_what_is_packed_is_to_be_unpacked(tmp_path: Path, head: bytes, named: str) -> None:
    (tmp_path / "file").write_bytes(head + bytes(300))
    with pytest.raises(UnusableModel, match=f"packed .*{named}.*unpack it"):
        open_weights(tmp_path / "file")


def test_weights_under_a_name_of_their_own(tmp_path: Path) -> None:
    weights = {"a.weight": torch.ones(2), "a.bias": torch.zeros(2)}
    optimizer = {"state": {0: {"exp_avg": torch.ones(2), "exp_avg_sq": torch.ones(2)}}}
    for content, wrapper in (
        ({"best_model": weights, "optimizer": optimizer, "classes": ["x", "y"]}, "best_model"),
        ({"checkpoint": {"model": weights, "classes": ["x", "y"]}}, "checkpoint.model"),
        ({"state_dict": {"net": weights}, "classes": ["x", "y"]}, "state_dict.net"),
        ({"mine": weights, "mine_ema": weights, "classes": ["x", "y"]}, "mine"),
    ):
        torch.save(content, tmp_path / "w")
        found = read_weight_file(tmp_path / "w")
        assert found.wrapper == wrapper
        assert set(found.tensors) == set(weights)
        assert found.beside["classes"] == ["x", "y"]
    torch.save({"left": weights, "right": weights}, tmp_path / "w")
    with pytest.raises(UnusableModel, match=r"several sets of weights \(left, right\)"):
        read_weight_file(tmp_path / "w")


def test_quantised_weights_are_no_attack(tmp_path: Path) -> None:
    data = torch_bytes({"model": {"a": torch.ones(2)}, "kind": torch.qint8})
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(UnusableModel, match=r"quantised weights.*ONNX") as caught:
        open_weights(tmp_path / "file")
    assert "run code" not in str(caught.value)
