"""A folder or a ZIP of weights with what stands in files beside them -> the weight file and facts.

Hugging Face keeps class names in config.json and the preparation in preprocessor_config.json; other
programs write labels.txt or classes.json. Only files of known names are read, up to a size.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from core.errors import UnusableModel
from core.learning.models.foreign.limits import KERAS, MAX_WEIGHTS_MB
from core.learning.models.foreign.stating import MOST_NAMES

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar", ".onnx")
MAX_SIDE_KB = 1000
MOST_ENTRIES = 2000
_LABELS = (
    *("labels", "classes", "class_names", "id2label", "class_to_idx", "idx_to_class", "names"),
    *("label_map", "class_map", "class_mapping", "class_indices", "label2id", "idx2label"),
    *("categories", "index_to_name", "index_to_class", "label_names", "classnames", "vocab"),
)
_FACTS = (
    "config.json",
    "preprocessor_config.json",
    "pretrained_cfg.json",
    "args.json",
    "meta.json",
)
_PREFERRED = ("model.safetensors", "pytorch_model.bin", "model.onnx")
_SKIPPED = ("optimizer", "scheduler", "training_args", "rng_state", "scaler", "trainer_state")
_NO_WEIGHTS = (
    "The archive holds no weights. Give a .pth, .safetensors or .onnx file, or a ZIP of a model "
    "folder with its card.json and weights.safetensors."
)


# What only archives of other programs hold, and what they are then.
_OTHERS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("model.weights.h5",), f"The file is a Keras model, which is not opened here. {KERAS}"),
    (
        ("saved_model.pb", ".keras", ".h5", ".hdf5"),
        f"The archive holds a TensorFlow or Keras model, which is not opened here. {KERAS}",
    ),
    (
        ("serialized_exported_program.json", "/archive_format"),
        "The file is a program of torch.export, which is not opened here. Give the weights "
        '(torch.save(model.state_dict(), "weights.pth")) or export it to ONNX (torch.onnx.export).',
    ),
    (
        (".npy",),
        "The file holds arrays of NumPy, no named weights of a network. Give a .pth, .safetensors "
        "or .onnx file.",
    ),
)


@contextmanager
def open_bundle(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the weight file of a path and what stands in files beside it.

    Parameters
    ----------
    path : Path
        A weight file, for which nothing is read beside it; a folder; or a ZIP of one.

    Raises
    ------
    UnusableModel
        If there is no weight file, more than one that could be meant, or too much.
    """
    if path.is_dir():
        files = [each for each in sorted(path.iterdir()) if each.is_file()][:MOST_ENTRIES]
        yield _choose(files), _read_sides({each.name: each for each in files})
    elif names := _names_of_a_bundle(path):
        with TemporaryDirectory(prefix="weights-") as folder:
            files = _unpack(path, names, Path(folder))
            yield _choose(files), _read_sides({each.name: each for each in files})
    else:
        yield path, {}


def _names_of_a_bundle(path: Path) -> list[str]:
    """Return what is taken of a ZIP; nothing of what `torch.save` or another program wrote."""
    try:
        with path.open("rb") as stream:
            if stream.read(2) != b"PK":
                return []
            end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
        if not end or end[5] > 4_000_000:
            return []
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except Exception:  # damaged: the reader of weights says so
        return []
    if not any(map(_is_weights, names)):
        for marks, said in _OTHERS:
            if any(name.endswith(marks) for name in names):
                raise UnusableModel(said)
    if any(name.endswith(("/data.pkl", "constants.pkl")) for name in names):
        return []
    return [n for n in names if "__MACOSX" not in n and (_is_weights(n) or _is_side(n))]


def _is_weights(name: str) -> bool:
    base = PurePosixPath(name).name.lower()
    return base.endswith(SUFFIXES) and not base.startswith(_SKIPPED)


def _is_side(name: str) -> bool:
    base = PurePosixPath(name).name.lower()
    stem, _, ending = base.rpartition(".")
    return base in _FACTS or (stem in _LABELS and ending in ("txt", "json", "csv"))


def _unpack(path: Path, names: list[str], folder: Path) -> list[Path]:
    """Write the weights and the files beside them, each under its own last name."""
    if not any(_is_weights(name) for name in names):
        raise UnusableModel(_NO_WEIGHTS)
    files: dict[str, Path] = {}
    left = MAX_WEIGHTS_MB * 1_000_000
    with zipfile.ZipFile(path) as archive:
        for name in names[:MOST_ENTRIES]:
            base = "".join(c for c in PurePosixPath(name).name if c.isalnum() or c in "._- ")[-80:]
            size = archive.getinfo(name).file_size
            most = left if _is_weights(name) else MAX_SIDE_KB * 1000
            if base in files or size > most:
                raise UnusableModel(
                    "The archive holds too much, or several models; pack one set of weights with "
                    "its labels.txt or config.json."
                )
            left -= size
            files[base] = folder / base
            with archive.open(name) as source, files[base].open("wb") as target:
                while chunk := source.read(min(1 << 20, size + 1)):
                    size -= len(chunk)
                    if size < 0:
                        raise UnusableModel("The archive is damaged; pack it again.")
                    target.write(chunk)
    return list(files.values())


def _choose(files: list[Path]) -> Path:
    """Return the weight file of a folder."""
    weights = [each for each in files if _is_weights(each.name)]
    by_name = {each.name: each for each in weights}
    for name in _PREFERRED:
        if name in by_name:
            return by_name[name]
    if len(weights) == 1:
        return weights[0]
    if not weights:
        raise UnusableModel(_NO_WEIGHTS.replace("archive", "folder"))
    names = ", ".join(each.name[:40] for each in weights[:4])
    raise UnusableModel(f"There are several weight files ({names}); give the one that is meant.")


def _read_sides(files: Mapping[str, Path]) -> dict[str, Any]:
    """Return the facts of the files beside the weights; what cannot be read is left out."""
    facts: dict[str, Any] = {}
    for name, path in files.items():
        lower = name.lower()
        if not _is_side(lower) or path.stat().st_size > MAX_SIDE_KB * 1000:
            continue
        text = path.read_bytes().decode("utf-8-sig", "replace")
        value = _json(text) if lower.endswith(".json") else None
        if lower.rpartition(".")[0] in _LABELS:
            facts["labels"] = (
                value if value is not None else "\n".join(text.splitlines()[:MOST_NAMES])
            )
        elif isinstance(value, dict):
            key = "preprocessor_config" if lower.startswith("preprocessor") else "config"
            facts[key] = {**facts.get(key, {}), **value}
    return facts


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
