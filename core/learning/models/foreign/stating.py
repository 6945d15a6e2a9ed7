"""What a file says beside its weights: class names and how frames are to be prepared.

Programs write the same facts under many names; those of torchvision's and timm's scripts, Hugging
Face, Lightning and fastai are known here. What is not said is None, never guessed.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import UnusableModel
from core.learning.models.borrowed.heads import FUNCTIONS
from core.learning.models.preparing.stated import PILLOW, TORCHVISION, Stated

_BOXES = (
    "hyper_parameters",
    "hparams",
    "config",
    "cfg",
    "args",
    "pretrained_cfg",
    "preprocessor",
    "preprocessor_config",
    "preprocessing",
    "transform",
    "transforms",
    "data_config",
    "meta",
    "metadata",
    "model_args",
    "normalize",
    "normalization",
)
_INNER = (
    *("pretrained_cfg", "config", "transform", "transforms", "data", "dataset", "datamodule"),
    *("preprocessing", "preprocess", "augmentation", "normalize", "normalization", "model"),
)
_NAMES = (
    "class_map",
    "class_names",
    "classes",
    "class_to_idx",
    "idx_to_class",
    "id2label",
    "idx2label",
    "label2id",
    "label_names",
    "labels",
    "categories",
    "vocab",
    "index_to_class",
    "class_mapping",
    "label_map",
    "names",
)
_MEANS = ("mean", "image_mean", "norm_mean", "pixel_mean", "img_mean", "means")
_STDS = ("std", "image_std", "norm_std", "pixel_std", "img_std", "stds")
_SIZES = ("img_size", "image_size", "input_size", "imgsz", "size", "input_shape", "resolution")
_SHORTS = ("resize_size", "resize", "scale_size", "resize_to")
_CUTS = ("crop_size", "center_crop", "crop")
_HEAD_FUNCTIONS = ("head_activation", "head_act", "activation", "act", "nonlinearity", "act_layer")
_WAYS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
_TASKS = ("task", "problem_type", "task_type", "mode", "loss", "loss_fn", "criterion", "activation")
# BCE and a sigmoid over two outputs or more: that is how networks of several labels are trained.
_MANY_LABELS = re.compile(
    r"multi[-_ ]?label|\bbce(?:[-_ ]?with[-_ ]?logits)?(?:[-_ ]?loss)?\b|binary[-_ ]cross"
    r"|binary_crossentropy|\bsigmoid\b",
    re.IGNORECASE,
)
_ODD_MAP = (
    "The class map of the file does not give every class a name and a number from 0 on. "
    "Export the file again."
)
MOST_NAMES = 1000
_MOST_BOXED = 10  # values of a file of labels that holds them under a name
LARGEST_EPS = 1.0  # of a layer's normalisation
# What Hugging Face's programs compute with, where a configuration may say another function.
_FUNCTIONS = {
    "resnet": ("relu",),
    **dict.fromkeys(
        ("vit", "deit", "swin", "convnext", "convnextv2", "dinov2", "dinov2_with_registers"),
        ("gelu", "gelu_python"),
    ),
}


def boxes(beside: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what stands beside the weights, then the boxes within it in which facts are kept."""
    yield beside
    for name in _BOXES:
        box = beside.get(name)
        if isinstance(box, str) and box.lstrip().startswith("{") and len(box) < 100_000:
            box = _json(box)
        if isinstance(box, Mapping):
            yield box
            for inner in _INNER:
                if isinstance(box.get(inner), Mapping):
                    yield box[inner]


def find(beside: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first of several names that is stated; None when none is."""
    for box in boxes(beside):
        for name in names:
            if box.get(name) is not None:
                return box[name]
    return None


def read_names(beside: Mapping[str, Any], outputs: int | None = None) -> list[str] | None:
    """Return the names of the classes in the order of the outputs; None where none are stated.

    Parameters
    ----------
    beside : mapping
    outputs : int, optional
        Of several lists the first of as many names is taken: programs keep the labels of pictures
        and the names of files under the same names.

    Raises
    ------
    UnusableModel
        If `class_map` is there and names no classes.
    """
    found, odd = [], False
    for box in boxes(beside):
        for name in _NAMES:
            if box.get(name) is not None:
                words = _in_order(box[name])
                odd |= words is None and name == "class_map"
                found += [] if words is None else [words]
    fitting = [words for words in found if len(words) == max(2, outputs or 0)]
    if odd and not fitting:
        raise UnusableModel(_ODD_MAP)
    return next(iter([*fitting, *found]), None)


def _in_order(value: Any) -> list[str] | None:
    if isinstance(value, str):
        value = _read_text(value)
    if isinstance(value, list | tuple):
        words = list(value)
        return words if words and all(isinstance(each, str) for each in words) else None
    if not isinstance(value, Mapping) or not value or len(value) > MOST_NAMES:
        return None
    boxed = next((value[n] for n in _NAMES if n in value), None) if len(value) < _MOST_BOXED else 0
    if isinstance(boxed, list | tuple | Mapping):  # labels.json: {"classes": [...]}
        return _in_order(boxed)
    pairs = [(_number(key), word) for key, word in value.items() if isinstance(word, str)]
    if len(pairs) < len(value) or any(number is None for number, _ in pairs):
        pairs = [(_number(index), word) for word, index in value.items() if isinstance(word, str)]
    by_index = {number: word for number, word in pairs if number is not None}
    if sorted(by_index) != list(range(len(value))):
        return None
    return [by_index[number] for number in range(len(value))]


def _number(value: Any) -> int | None:
    if type(value) is int:
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{1,4}", value):
        return int(value)
    return None


def _read_text(text: str) -> Any:
    """Return the list or map that a text holds: JSON, or names parted by lines or commas."""
    if len(text) > 100_000:
        return None
    if text.lstrip()[:1] in ("[", "{"):
        return _json(text) or _literal(text)
    parts = re.split(r"\r?\n|\|" if re.search(r"\n|\|", text) else ",", text)
    words = [part.strip() for part in parts if part.strip()]
    numbered = [re.fullmatch(r"(\d{1,4})[\s:,;=\t]+(\S.*)", word) for word in words]
    if words and all(numbered):
        pairs = {int(found[1]): found[2] for found in numbered if found}
        if sorted(pairs) == list(range(len(words))):
            return [pairs[number] for number in range(len(words))]
    return words if len(words) > 1 else None


def _literal(text: str) -> Any:
    """Return the list or map that a text of Python holds, such as {0: 'cat', 1: 'dog'}."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def has_many_labels(beside: Mapping[str, Any]) -> bool:
    """Tell whether the file says that several classes may be true of one picture."""
    for box in boxes(beside):
        for name in _TASKS:
            if isinstance(box.get(name), str) and _MANY_LABELS.search(box[name][:200]):
                return True
        if box.get("multi_label") is True or box.get("multilabel") is True:
            return True
    return False


def read_hints(beside: Mapping[str, Any], file_name: str) -> list[str]:
    """Return names of architectures that are stated, and the one that the file is called by."""
    said = [
        box[name]
        for box in boxes(beside)
        for name in ("architecture", "arch", "model_name", "timm_model", "backbone", "encoder_name")
        if isinstance(box.get(name), str)
    ]
    stem = re.split(r"[\\/]", file_name)[-1].partition(".")[0]
    return [word[:100] for word in (*said, stem) if word]


def read_measures(beside: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file says of its network and the shapes of its weights do not."""
    measures: dict[str, Any] = {}
    heads, eps = find(beside, ("num_attention_heads",)), find(beside, ("layer_norm_eps",))
    if type(heads) is int and 1 <= heads <= 64:
        measures["heads"] = heads
    if isinstance(eps, float) and 0 < eps <= LARGEST_EPS:
        measures["eps"] = eps
    if function := _read_function(beside):
        measures["function"] = function
    return measures


def _read_function(beside: Mapping[str, Any]) -> str | None:
    """Return what stands between the linear layers of a head: nn.GELU() is "gelu"."""
    for name in _HEAD_FUNCTIONS:
        said = find(beside, (name,))
        if isinstance(said, str):
            last = re.search(r"(\w+)(?:\([^()]*\))?\W*$", said[:200])
            word = last[1].lower() if last else ""
            word = {"leakyrelu": "leaky_relu", "swish": "silu"}.get(word, word)
            if word in FUNCTIONS:
                return word
    return None


def read_what_differs(beside: Mapping[str, Any]) -> str:
    """Return what a configuration says that no shape tells and that is built otherwise here.

    Returns
    -------
    str
        A phrase; empty where nothing differs.
    """
    for box in boxes(beside):
        usual = _FUNCTIONS.get(str(box.get("model_type")))
        said = box.get("hidden_act")
        if usual and isinstance(said, str) and said not in usual:
            return f"its function is {said[:40]!r}, not {usual[0]!r}"
        if usual and box.get("downsample_in_bottleneck") is True:
            return "it halves the picture in the first convolution of a block"
    return ""


def read_stated(beside: Mapping[str, Any], size_px: int | None) -> tuple[Stated, bool] | None:
    """Return how frames are to be prepared, and whether size and levels are both stated.

    Parameters
    ----------
    beside : mapping
    size_px : int or None
        The size that the network was made for, where its weights tell it.

    Returns
    -------
    (Stated, bool) or None
        None where nothing is stated, or nothing that a preparation could be.
    """
    try:
        if processor := _processor(beside):
            return _of_processor(processor), True
        levels, size = _levels(beside), _side(find(beside, _SIZES)) or _side(find(beside, _CUTS))
        if levels is None and size is None:
            return None
        mean, std = levels or ((0.0,), (1.0,))
        side = size or size_px or 224
        short = _short(beside, side, stated=size is not None)
        way = _way(beside, "bicubic" if find(beside, ("crop_pct",)) is not None else "bilinear")
        aspect = find(beside, ("crop_mode",)) != "squash"
        whole = levels is not None and (size is not None or size_px is not None)
        return Stated(side, side, short, way, mean, std, aspect), whole
    except (ValueError, TypeError, OverflowError):
        return None


def _levels(beside: Mapping[str, Any]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    mean, std = _floats(find(beside, _MEANS)), _floats(find(beside, _STDS))
    if mean is None or std is None:
        return None
    if max(std) > 2 or max(mean) > 2:  # of grey levels 0–255
        mean, std = tuple(v / 255 for v in mean), tuple(v / 255 for v in std)
    return mean, std


def _floats(value: Any) -> tuple[float, ...] | None:
    if isinstance(value, str):
        value = _json(value) if value.lstrip()[:1] == "[" else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, list | tuple) or len(value) not in (1, 3):
        return None
    fine = all(isinstance(v, int | float) and math.isfinite(v) for v in value)
    return tuple(float(v) for v in value) if fine else None


def _side(value: Any) -> int | None:
    """Return the side in px of what is stated as 224, (224, 224), (3, 224, 224) or as a map."""
    if isinstance(value, str):
        value = _json(value)
    if isinstance(value, Mapping):
        value = value.get("height") or value.get("shortest_edge")
    if isinstance(value, list | tuple) and 1 <= len(value) <= 3:
        value = value[-1]
    return value if type(value) is int and 1 <= value <= 1024 else None


def _short(beside: Mapping[str, Any], side: int, *, stated: bool) -> int:
    """Return the short side before the cut; 0 where nothing is said of a cut."""
    share = find(beside, ("crop_pct",))
    if isinstance(share, int | float) and 0.1 <= share <= 1:
        return math.floor(side / share)
    short = _side(find(beside, _SHORTS))
    if short is not None and short >= side:
        return short
    return 0 if stated else round(side * 256 / 224)


def _way(beside: Mapping[str, Any], usual: str) -> str:
    said = find(beside, ("interpolation", "resample"))
    if type(said) is int:
        return _WAYS.get(said, usual)
    word = str(said).lower().rpartition(".")[2] if isinstance(said, str) else ""
    return word if word in _WAYS.values() else usual


def _processor(beside: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return Hugging Face's description of how pictures are prepared."""
    for box in boxes(beside):
        if "image_processor_type" in box or "feature_extractor_type" in box or "do_resize" in box:
            return box
    return None


def _of_processor(said: Mapping[str, Any]) -> Stated:
    mean = _floats(said.get("image_mean")) or (0.5,)
    std = _floats(said.get("image_std")) or (0.5,)
    if said.get("do_normalize") is False:
        mean, std = (0.0,), (1.0,)
    if said.get("do_rescale") is False:
        mean, std = tuple(v / 255 for v in mean), tuple(v / 255 for v in std)
    size, way = said.get("size"), _way({"resample": said.get("resample")}, "bilinear")
    side = _side(size) or 224
    kind = str(said.get("image_processor_type", said.get("feature_extractor_type", "")))
    by = PILLOW if kind.endswith("Pil") else TORCHVISION
    cut = _side(said.get("crop_size")) if said.get("do_center_crop") else None
    share = said.get("crop_pct")
    if cut is not None:
        keeps = not (isinstance(size, Mapping) and "height" in size)
        return Stated(cut, cut, side, way, mean, std, keeps, by)
    if isinstance(share, float) and 0.1 <= share <= 1 and side < 384:  # ConvNeXt's
        return Stated(side, side, int(side / share), way, mean, std, by=by)
    return Stated(side, side, 0, way, mean, std, by=by)
