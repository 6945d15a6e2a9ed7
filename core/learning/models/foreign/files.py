"""A weight file -> named tensors and what stands beside them; nothing in a file is ever run.

Only three kinds are opened: what `torch.save` writes (through PyTorch's restricted unpickler, which
builds tensors and plain values and nothing else), safetensors, and both of these only up to a size
that is checked before anything is decoded.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import pickletools
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.errors import UnusableModel

MAX_WEIGHTS_MB = 800  # AlexNet with its optimiser's state has 690
MAX_HEADER_MB = 10  # of a safetensors file; 100,000 tensors need less
WRAPPERS = ("model_state_dict", "state_dict", "model", "net", "weights")
EXPORT = 'Export the weights alone: torch.save(model.state_dict(), "weights.pth").'

_CUT_SHORT = "The weight file is cut short or damaged; copy or export it again."
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
_ZIP, _PICKLE = b"PK", b"\x80"
_CODE = re.compile(r"GLOBAL ([\w.]+)|class ([\w.]+)")
_LOG = logging.getLogger(__name__)


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
        content: Any = _read_safetensors(path, head)
    elif head.startswith((_ZIP, _PICKLE)):
        content = _read_torch(path, head.startswith(_ZIP))
    else:
        raise UnusableModel(_say_what_it_is(head))
    tensors, beside, wrapper = _unwrap(content)
    _check_tensors(tensors)
    return WeightFile(tensors, beside, wrapper, digest(path))


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_size(size_bytes: int) -> None:
    """Refuse a weight file that is empty or too large to be opened.

    Raises
    ------
    UnusableModel
    """
    if size_bytes == 0:
        raise UnusableModel("The file is empty (0 bytes); copy or export it again.")
    if size_bytes > MAX_WEIGHTS_MB * 1_000_000:
        raise UnusableModel(
            f"The file has {size_bytes / 1e6:.0f} MB, a weight file may have {MAX_WEIGHTS_MB}. "
            f"{EXPORT}"
        )


def _read_head(path: Path) -> bytes:
    try:
        check_size(path.stat().st_size)
        with path.open("rb") as stream:
            return stream.read(16)
    except OSError as error:
        raise UnusableModel(f"The file {path.name} cannot be read: {error.strerror}.") from error


def _say_what_it_is(head: bytes) -> str:
    if head.startswith(_PICTURES):
        return "The file is a picture, not a network; load it on Home."
    return (
        "The file is no weight file: Micrographia opens what torch.save writes (.pth, .pt, "
        ".pth.tar) and .safetensors."
    )


def _read_safetensors(path: Path, head: bytes) -> dict[str, Tensor]:
    header_bytes = int.from_bytes(head[:8], "little")
    if header_bytes > min(path.stat().st_size - 8, MAX_HEADER_MB * 1_000_000):
        raise UnusableModel(
            f"The file announces a header of {header_bytes / 1e6:,.0f} MB, which it cannot hold: "
            "it is cut short or damaged. Copy or export it again."
        )
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        _LOG.info("safetensors refused", exc_info=error)
        raise UnusableModel(_CUT_SHORT) from error


def _read_torch(path: Path, is_zip: bool) -> Any:
    if is_zip:
        _check_archive(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of odd pickle protocols
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # hostile bytes fail in every way that there is
        _LOG.info("torch.load refused", exc_info=error)
        told = _CODE.search(str(error))
        name = (told[1] or told[2]) if told else "" if is_zip else _first_global(path)
        if not name:
            raise UnusableModel(_CUT_SHORT) from error
        raise UnusableModel(
            f"The file holds more than weights ({name[:80]}): opening that could run code, so it "
            f"was not opened. {EXPORT}"
        ) from error


def _first_global(path: Path) -> str:
    """Return what a plain pickle would call first, without calling it; empty for nothing."""
    strings: list[str] = []
    with path.open("rb") as stream, contextlib.suppress(Exception):  # a damaged one tells nothing
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name in ("GLOBAL", "INST"):
                return str(argument).replace(" ", ".")
            if opcode.name == "STACK_GLOBAL":
                return ".".join(strings[-2:])
            if isinstance(argument, str):
                strings.append(argument)
    return ""


def _check_archive(path: Path) -> None:
    """Refuse what the directory of the archive tells, before PyTorch reads it."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except Exception as error:
        raise UnusableModel(_CUT_SHORT) from error
    names = [entry.filename for entry in entries]
    if not any(name.endswith("/data.pkl") for name in names):
        raise UnusableModel(
            "The archive holds no weights. Give a .pth or .safetensors file, or a ZIP of a model "
            "folder with its card.json and weights.safetensors."
        )
    if any("/code/" in name or name.endswith("/constants.pkl") for name in names):
        raise UnusableModel(
            f"The file is a TorchScript program, which could run code; it was not opened. {EXPORT}"
        )
    check_size(sum(entry.file_size for entry in entries))


def _unwrap(content: Any) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    """Return tensors, what stands beside them, and the name that they lay under."""
    if not isinstance(content, Mapping):
        raise UnusableModel(f"The file holds no named weights. {EXPORT}")
    for wrapper in WRAPPERS:
        if isinstance(content.get(wrapper), Mapping):
            beside = {key: value for key, value in content.items() if key != wrapper}
            return _named_tensors(content[wrapper]), beside, wrapper
    return _named_tensors(content), {}, ""


def _named_tensors(content: Mapping[Any, Any]) -> dict[str, Tensor]:
    named = all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items())
    if not content or not named:
        raise UnusableModel(f"The file holds no named weights. {EXPORT}")
    return dict(content)


def _check_tensors(tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors that are larger than what the file stores of them, or of an odd kind."""
    total = 0
    for name, value in tensors.items():
        odd = value.layout != torch.strided or value.device.type != "cpu"
        if odd or value.is_quantized or value.is_nested or value.is_complex():
            raise UnusableModel(f"The tensor {name[:80]} is of a kind that no network here uses.")
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise UnusableModel(_CUT_SHORT)
        total += value.numel() * value.element_size()
    check_size(total)
