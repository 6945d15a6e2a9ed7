"""A weight file -> named tensors and what stands beside them; nothing in a file is ever run.

Only three kinds are opened: both forms that `torch.save` writes, whose pickles are read by
`pickles` and never unpickled, and safetensors; all only up to a size that is checked before
anything is decoded.
"""

from __future__ import annotations

import json
import logging
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor

from core.errors import UnusableModel
from core.learning.models.foreign.limits import (
    CUT_SHORT,
    EXPORT,
    KERAS,
    check_header,
    check_size,
)
from core.learning.models.foreign.pickles import ForbiddenError, StoredTensor
from core.learning.models.foreign.settings import plain_values
from core.learning.models.foreign.torch_files import (
    ReadPiece,
    check_archive,
    read_archive,
    read_plain,
)
from core.learning.models.installed import file_digest

WRAPPERS = (
    "model_state_dict",
    "state_dict",
    "model",
    "net",
    "weights",
    "model_state",
    "net_state_dict",
    "model_weights",
    "network",
    "params",
    "module",
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "params_ema",
    "ema",
)
_NO_WEIGHTS = re.compile(r"optim|sched|scaler|rng|amp|callback|loops|best_model_params")
_LEAST_TENSORS, _DEEPEST = 2, 3
_AVERAGED = WRAPPERS[WRAPPERS.index("state_dict_ema") :]

_HEAD = 300  # bytes that tell what a file is
EMA = "averaged weights beside"  # its value is the name that they lie under

_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
_ZIP, _PICKLE = b"PK", b"\x80"
_QUANTISED = (
    "The file holds quantised weights ({named}), which are not opened here. Give the network as it "
    "was before it was quantised, or export it to ONNX (torch.onnx.export)."
)
_NO_NETWORK = (
    "The file holds a model of {named}, which is no network for pictures and is not opened here: "
    "reading it could run code. Export it to ONNX with skl2onnx if it takes pictures."
)
_OF_TABLES = ("sklearn", "xgboost", "lightgbm", "joblib", "catboost")
# What a file begins with, and what it is then.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (
        b"version https://git-lfs",
        "The file is a pointer of Git LFS: the weights themselves were not fetched. Run git lfs "
        "pull, or download the file from its page.",
    ),
    (b"GGUF", "The file is a language model (GGUF), no network for pictures."),
    (b"\x93NUMPY", f"The file is an array of NumPy, no network. {EXPORT}"),
)
_UNPACK = (
    "The file is packed ({named}): unpack it and give the .pth, .safetensors or .onnx file that is "
    "in it. A ZIP is opened as it is."
)
_PACKED: tuple[tuple[bytes, str], ...] = (
    *((b"x" + level, _UNPACK.format(named="zlib, as by joblib")) for level in (b"\x9c", b"\xda")),
    (b"\x1f\x8b", _UNPACK.format(named="gzip")),
    (b"BZh", _UNPACK.format(named="bzip2")),
    (b"\xfd7zXZ", _UNPACK.format(named="xz")),
    (b"7z\xbc\xaf", _UNPACK.format(named="7-Zip")),
    (b"Rar!", _UNPACK.format(named="RAR")),
    (b"\x28\xb5\x2f\xfd", _UNPACK.format(named="Zstandard")),
)
_MARKUP = (b"<!doctype", b"<html")
_PAGE = "The file is a web page and no weight file: the download gave an error. Download it again."
_OPENVINO = (
    "The file describes an OpenVINO network, which is not opened here. Give the ONNX file that it "
    "was made of."
)
_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class WeightFile:
    """What a weight file holds.

    Attributes
    ----------
    tensors : dict of str to Tensor
        Under the names of the file.
    beside : dict of str to Any
        Plain values that stand beside the weights, such as `epoch` or `class_map`.
    wrapper : str
        The name under which the weights lay; empty when they are the whole file.
    sha256 : str
        Digest of the file.
    """

    tensors: dict[str, Tensor]
    beside: dict[str, Any]
    wrapper: str
    sha256: str


def read_weight_file(path: Path) -> WeightFile:
    """Return the tensors of a .pth, .pt, .pth.tar or .safetensors file, told by its content.

    Raises
    ------
    UnusableModel
        If it is empty, too large, cut short, no weight file, or holds anything but weights and
        plain values.
    """
    head = _read_head(path)
    if head[8:9] == b"{":
        return WeightFile(read_safetensors(path), _metadata(path), "", file_digest(path))
    if head.startswith((_ZIP, _PICKLE)):
        return _read_torch(path, head)
    raise UnusableModel(_say_what_it_is(head))


def _read_head(path: Path) -> bytes:
    try:
        check_size(path.stat().st_size)
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError as error:
        raise UnusableModel(f"The file {path.name} cannot be read: {error.strerror}.") from error


def _say_what_it_is(head: bytes) -> str:
    if head.startswith(_PICTURES):
        return "The file is a picture, not a network; load it on Home."
    if head.startswith(b"\x89HDF"):
        return f"The file is a Keras or another HDF5 file; Keras is not opened here. {KERAS}"
    if head[4:8] == b"TFL3":
        return f"The file is a TensorFlow Lite network, which is not opened here. {KERAS}"
    for start, said in (*_OTHERS, *_PACKED):
        if head.startswith(start):
            return said
    if head[257:262] == b"ustar":
        return _UNPACK.format(named="tar")
    lower = head.lstrip().lower()
    if lower.startswith(_MARKUP):
        return _PAGE
    if lower.startswith(b"<?xml") and b"<net" in lower:
        return _OPENVINO
    return (
        "The file is no weight file: Micrographia opens what torch.save writes (.pth, .pt, "
        ".pth.tar), .safetensors and .onnx. Export other "
        "programs’ networks to ONNX."
    )


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file.

    Raises
    ------
    UnusableModel
        If it is damaged, holds none, or more than `MAX_WEIGHTS_MB` as 32-bit numbers.
    """
    try:
        check_size(path.stat().st_size)
        check_header(path)
        tensors, _ = _named(load_file(path), Tensor)
    except UnusableModel:
        raise
    except Exception as error:  # hostile bytes fail in every way that there is
        _LOG.info("safetensors refused", exc_info=error)
        raise UnusableModel(CUT_SHORT) from error
    _check_tensors(tensors)
    return tensors


def _metadata(path: Path) -> dict[str, Any]:
    """Return the texts that a safetensors file holds beside its tensors."""
    with path.open("rb") as stream:  # its size was checked before the tensors were read
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    said = header.get("__metadata__", {})
    return {str(key): str(text)[:100_000] for key, text in said.items()}


def _read_torch(path: Path, head: bytes) -> WeightFile:
    """Return the weights of a file of `torch.save`; of what lies beside them only plain values."""
    try:
        if head.startswith(_ZIP):
            check_archive(path)
            with zipfile.ZipFile(path) as archive:
                return _gather(path, *read_archive(archive))
        with path.open("rb") as stream:
            return _gather(path, *read_plain(stream, path.stat().st_size))
    except UnusableModel:
        raise
    except ForbiddenError as error:
        named = "".join(c for c in str(error) if c.isprintable())
        if re.match(
            r"torch\.(?:q[u]?int|_utils\._rebuild_qtensor|ao\.nn\.quant|jit\.quant)", named
        ):
            raise UnusableModel(_QUANTISED.format(named=named[:80])) from error
        if named.startswith(_OF_TABLES):
            raise UnusableModel(_NO_NETWORK.format(named=named.partition(".")[0])) from error
        raise UnusableModel(
            f"The file holds more than weights ({named[:80]}): opening that could run code, so it "
            f"was not opened. {EXPORT}"
        ) from error
    except Exception as error:  # hostile bytes fail in every way that there is
        _LOG.info("weights refused", exc_info=error)
        raise UnusableModel(CUT_SHORT) from error


def _gather(path: Path, content: Any, read_piece: ReadPiece) -> WeightFile:
    stored, beside, wrapper = _unwrap(content, StoredTensor)
    beside = plain_values(beside)
    _check_stored(stored)
    pieces: dict[str, Tensor] = {}
    tensors: dict[str, Tensor] = {}
    for name, value in stored.items():
        storage = value.storage
        if storage is None:
            raise UnusableModel(_odd(name))
        if storage.key not in pieces:
            check_size(1 + sum(map(Tensor.numel, pieces.values())) + storage.size_bytes)
            pieces[storage.key] = _as_bytes(read_piece(storage))
        numbers = pieces[storage.key][: value.whole_bytes].view(getattr(torch, value.dtype))
        tensors[name] = torch.as_strided(numbers, value.shape, value.strides, value.offset)
    return WeightFile(tensors, beside, wrapper, file_digest(path))


def _as_bytes(piece: bytearray) -> Tensor:
    if not piece:
        return torch.empty(0, dtype=torch.uint8)
    return torch.frombuffer(piece, dtype=torch.uint8)


def _check_stored(stored: Mapping[str, StoredTensor]) -> None:
    """Refuse, before anything is read, weights of odd kinds or larger than weights are."""
    for name, value in stored.items():
        if not value.dtype or value.dtype.startswith("complex"):
            raise UnusableModel(_odd(name))
    check_size(1 + sum(value.size_bytes for value in stored.values()))


def _odd(name: str) -> str:
    return f"The tensor {name[:80]} is of a kind that no network here uses."


def _unwrap(content: Any, kind: type[_T]) -> tuple[dict[str, _T], dict[str, Any], str]:
    """Return tensors, what stands beside them, and the name that they lay under."""
    if not isinstance(content, Mapping):
        raise UnusableModel(f"The file holds no named weights. {EXPORT}")
    for wrapper in WRAPPERS:
        inside = content.get(wrapper)
        if isinstance(inside, Mapping) and isinstance(inside.get("state_dict"), Mapping):
            inside = inside["state_dict"]  # an average that keeps its own settings
        if isinstance(inside, Mapping) and any(isinstance(v, kind) for v in inside.values()):
            beside = {key: value for key, value in content.items() if key != wrapper}
            tensors, more = _named(inside, kind)
            return tensors, more | _plain(beside, kind), wrapper
    if not any(isinstance(value, kind) for value in content.values()):
        return _search(content, kind)
    tensors, beside = _named(content, kind)
    return tensors, beside, ""


def _search(
    content: Mapping[Any, Any], kind: type[_T]
) -> tuple[dict[str, _T], dict[str, Any], str]:
    """Return the weights that lie under a name of the file's own, up to four names deep.

    Raises
    ------
    UnusableModel
        If there are none, or several of which none is an average of others.
    """
    found = dict(_sets_of_weights(content, kind, 0))
    if len(found) > 1:
        found = {
            n: v for n, v in found.items() if not re.search("ema|averag|teacher|swa", n)
        } or found
    if not found:
        raise UnusableModel(f"The file holds no named weights. {EXPORT}")
    if len(found) > 1:
        names = ", ".join(name[:40] for name in list(found)[:4])
        raise UnusableModel(
            f"The file holds several sets of weights ({names}): save the one that is meant alone "
            '(torch.save(model.state_dict(), "weights.pth")).'
        )
    ((wrapper, inside),) = found.items()
    tensors, more = _named(inside, kind)
    beside = {str(key): value for key, value in content.items() if str(key) != wrapper}
    around = content.get(wrapper.partition(".")[0])
    if isinstance(around, Mapping) and around is not inside:
        beside |= {str(key): value for key, value in around.items() if value is not inside}
    return tensors, more | beside, wrapper


def _sets_of_weights(
    content: Mapping[Any, Any], kind: type[_T], depth: int
) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yield the dictionaries that hold tensors, by the names that lead to them."""
    for key, inside in content.items():
        if not isinstance(inside, Mapping) or _NO_WEIGHTS.match(str(key).lower()):
            continue
        if sum(isinstance(value, kind) for value in inside.values()) >= _LEAST_TENSORS:
            yield str(key), inside
        elif depth < _DEEPEST:
            for name, deeper in _sets_of_weights(inside, kind, depth + 1):
                yield f"{key}.{name}", deeper


def _plain(values: Mapping[Any, Any], kind: type[_T]) -> dict[str, Any]:
    """Return what is no weight, and the names of averaged weights that were not taken."""
    averaged = [name for name in _AVERAGED if isinstance(values.get(name), Mapping)]
    plain = {
        str(key): value
        for key, value in values.items()
        if not isinstance(value, kind) and key not in averaged
    }
    return plain | ({EMA: averaged[0]} if averaged else {})


def _named(content: Mapping[Any, Any], kind: type[_T]) -> tuple[dict[str, _T], dict[str, Any]]:
    """Return the tensors of a mapping and the plain values among them."""
    tensors = {k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, kind)}
    if not tensors:
        raise UnusableModel(f"The file holds no named weights. {EXPORT}")
    return tensors, {str(k): v for k, v in content.items() if k not in tensors}


def _check_tensors(tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors of an odd kind, or larger than weights are once they are 32-bit numbers."""
    total = 0
    for name, value in tensors.items():
        odd = value.layout != torch.strided or value.device.type != "cpu"
        if odd or value.is_quantized or value.is_nested or value.is_complex():
            raise UnusableModel(_odd(name))
        size = max(4, value.element_size()) if value.is_floating_point() else value.element_size()
        total += value.numel() * size
    check_size(total)
