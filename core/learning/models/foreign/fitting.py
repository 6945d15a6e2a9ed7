"""Named tensors -> the network that they belong to, told from names and shapes alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import UnusableModel
from core.learning.models.borrowed.stem import first_convolution
from core.learning.models.foreign.candidates import Shapes, candidates
from core.learning.models.foreign.last_layers import Last, read_last_layers
from core.learning.models.foreign.renaming import lite_names, usual_names, without_wrappers
from core.learning.models.networks import NETWORKS, build_network, title

MOST_OUTPUTS = 1000
_WIDEST = 4096  # channels of a stage
_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.", "backbone.", "encoder.")
_COUNTER = "num_batches_tracked"  # of batch normalisation; older files lack it
_MARK = 1733  # outputs that no network has: what depends on their number shows by it
_LEAST = 4  # tensors of anything that is looked at
_DEEPEST = 5  # names before a network's own
# What a library keeps beside the weights and computes anew.
_COMPUTED = re.compile(
    r"(?:relative_position_index|relative_coords_table|attn_mask|position_ids|mask_token"
    r"|num_batches_tracked|total_ops|total_params)$"
)
_HARMLESS = frozenset(
    (
        *(
            "criterion",
            "loss",
            "losses",
            "lossfn",
            "metric",
            "metrics",
            "torchmetrics",
            "temperature",
        ),
        *("acc", "accuracy", "f1", "auroc", "precision", "recall", "confmat", "confusion"),
        *("ema", "averaged", "teacher", "n", "step", "steps", "epoch", "counter", "optimizer"),
        *("mean", "std", "normalize", "normalise", "normalization", "scaler"),
        *("train", "val", "valid", "test"),
        *("aux", "auxlogits"),  # answers from the middle of an Inception, which only training asks
    )
)
_FLAT = "The file holds flattened parameters (FSDP); save its full state dict and export again."


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A network with the weights of a file in it.

    Attributes
    ----------
    architecture : str
        What `build_network` takes.
    options : dict of str to Any
        Its options; empty for the usual ones.
    network : nn.Module
        Its head is all zero when `outputs` is None.
    outputs : int or None
        Number of outputs; None when the file brings no head that fits the network's.
    channels : int
        Input channels in the file, 1 or 3.
    notes : tuple of str
        What was inferred or changed, a sentence each.
    left_out : dict of str to Tensor
        What lay beside the network under harmless names.
    """

    architecture: str
    options: dict[str, Any]
    network: nn.Module
    outputs: int | None
    channels: int
    notes: tuple[str, ...]
    left_out: dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Names and shapes of an architecture; `stem` takes the picture, `head` gives the scores."""

    architecture: str
    options: tuple[tuple[str, Any], ...]
    shapes: dict[str, tuple[int, ...]]
    stem: str
    head: str

    @property
    def root(self) -> str:
        """The child of the network in which its head lies."""
        return self.head.partition(".")[0]

    @property
    def body(self) -> dict[str, tuple[int, ...]]:
        """Everything but the last layers and the counters of batch normalisation."""
        return {
            name: shape
            for name, shape in self.shapes.items()
            if not self.is_of_head(name) and not _COMPUTED.search(name)
        }

    def is_of_head(self, name: str) -> bool:
        """Tell whether a tensor lies in the head's child, or depends on the number of classes."""
        return name.partition(".")[0] == self.root or _MARK in self.shapes.get(name, ())


@dataclass(frozen=True, slots=True)
class _View:
    """The tensors of a file, seen as one network's: `prefix` stood before its own names."""

    prefix: str
    tensors: dict[str, Tensor]
    beside: dict[str, Tensor]

    @property
    def shapes(self) -> Shapes:
        return {name: tuple(value.shape) for name, value in self.tensors.items()}


def fit_network(
    tensors: Mapping[str, Tensor],
    hints: Sequence[str] = (),
    measures: Mapping[str, Any] | None = None,
    *,
    grey: bool = False,
) -> Fit:
    """Return the one network that tensors fit, with these in it.

    What stands before all names (`module.` and the like) is left out, 16-bit floats become 32-bit
    ones; each is said in the notes.

    Parameters
    ----------
    tensors : mapping of str to Tensor
    hints : sequence of str
        Names of architectures that stand beside the weights.
    measures : mapping, optional
        What is known besides shapes: `heads`, `eps` of a transformer, `function` of a head.
    grey : bool
        Whether a stem of three channels is summed to one, as a training here needs it; only
        networks of `NETWORKS` are then looked for.

    Raises
    ------
    UnusableModel
        If they fit no network, or hold NaN or infinity.
    """
    if any(name.endswith("_flat_param") for name in tensors):
        raise UnusableModel(_FLAT)
    view, blueprint, wrapped = _find(tensors, hints, measures or {}, grey)
    last = _last_layers(view, blueprint, (measures or {}).get("function"))
    notes = [*_say_prefix(wrapped, view.prefix), *last.notes, *_say_left_out(view, blueprint, last)]
    kinds = {value.dtype for value in view.tensors.values() if value.is_floating_point()}
    if kinds - {torch.float32}:
        notes.append("Its numbers were brought to 32-bit floats.")
    notes += _say_what_names_hide(blueprint, hints, stated="heads" in (measures or {}))
    state = _state(view.tensors, blueprint, last)
    _check_finite(state)
    stem, options = f"{blueprint.stem}.weight", dict(blueprint.options)
    channels = state[stem].shape[1]
    if channels == 3 and grey:
        notes.append("Its three input channels were summed to one, as for a grey picture.")
        state[stem] = state[stem].sum(dim=1, keepdim=True)
    elif channels == 3:
        options["channels"] = 3
    options |= last.options
    return Fit(
        blueprint.architecture,
        options,
        _fill(blueprint.architecture, options, last.outputs or 2, state),
        last.outputs,
        channels,
        tuple(notes),
        view.beside,
    )


def head_name(architecture: str) -> str:
    """Return the name of the last linear layer, the one that depends on the number of classes."""
    return _blueprint(architecture, ()).head


def _fill(
    architecture: str, options: Mapping[str, Any], outputs: int, state: Mapping[str, Tensor]
) -> nn.Module:
    with torch.device("meta"):  # neither drawn at random nor held twice
        network = build_network(architecture, outputs, options)
    before = getattr(network, "prefix", "")
    whole = network.state_dict()
    # What is computed at the start and not kept in files is no number of the meta device's.
    network.load_state_dict({before + n: v for n, v in state.items() if before + n in whole},
                            assign=True)  # fmt: skip
    return _without_meta(network, lambda: build_network(architecture, outputs, options))


def _without_meta(network: nn.Module, build: Callable[[], nn.Module]) -> nn.Module:
    """Return the network with its computed buffers, which no file holds, in memory."""
    empty = [name for name, value in network.named_buffers() if value.is_meta]
    if empty:
        computed = dict(build().named_buffers())
        for name in empty:
            parent, _, child = name.rpartition(".")
            network.get_submodule(parent)._buffers[child] = computed[name]
    return network


def _find(
    tensors: Mapping[str, Tensor],
    hints: Sequence[str],
    measures: Mapping[str, Any],
    grey: bool,
) -> tuple[_View, Blueprint, str]:
    """Return the tensors as a network's and that network; else name the nearest one."""
    plain, wrapped = _unwrap(tensors)
    nearest: tuple[float, Blueprint, list[str]] | None = None
    for view in _views(plain):
        for blueprint, named in _possible(view, hints, measures, grey):
            shapes = {name: tuple(value.shape) for name, value in named.items()}
            wrong = _misfits(blueprint, shapes)
            if not wrong:
                head = f"{blueprint.head}."
                named = {re.sub(r"^last_linear\.", head, n): v for n, v in named.items()}
                return _View(view.prefix, named, view.beside), blueprint, wrapped
            share = len(wrong) / len(blueprint.body)
            if nearest is None or share < nearest[0]:
                nearest = share, blueprint, wrong
    raise UnusableModel(_say_nothing_fits(nearest))


def _say_nothing_fits(nearest: tuple[float, Blueprint, list[str]] | None) -> str:
    message = (
        "These weights fit no network that Micrographia knows: its own, most of torchvision’s, and "
        "ResNets, EfficientNets, ConvNeXts, MobileNets, RegNets, ViTs and Swins of timm."
    )
    if nearest is not None and nearest[0] < 0.5:
        _, blueprint, wrong = nearest
        return message + (
            f" The nearest is {title(blueprint.architecture)}, but {len(wrong)} of the tensors "
            f"differ, the first is {wrong[0][:80]}."
        )
    return message + (
        " If it is another one of timm, call the file after it (such as resnest26d.pth); otherwise "
        "export it to ONNX (torch.onnx.export) and give that."
    )


def _unwrap(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """Return tensors without what stands before all names, and what that was."""
    left_out: list[str] = []
    named = dict(tensors)
    while prefix := next((p for p in _PREFIXES if all(n.startswith(p) for n in named)), ""):
        named = {name.removeprefix(prefix): value for name, value in named.items()}
        left_out.append(prefix)
    inside = without_wrappers(named)
    if inside.keys() != named.keys():
        left_out.append("module." if any(".module." in name for name in named) else "_orig_mod.")
    return inside, "".join(left_out)


def _views(tensors: Mapping[str, Tensor]) -> Iterator[_View]:
    """Yield what may be a network: all tensors, then those behind what stands before most names."""
    yield _View("", dict(tensors), {})
    counts: dict[str, int] = {}
    for name in tensors:
        parts = name.split(".")[:-1]
        for depth in range(1, min(_DEEPEST, len(parts)) + 1):
            prefix = ".".join(parts[:depth]) + "."
            counts[prefix] = counts.get(prefix, 0) + 1
    # An average of the weights beside them (EMA) comes after the weights themselves.
    order = sorted(counts, key=lambda p: (_is_harmless(p), -counts[p], len(p)))
    for prefix in order[:12]:
        if counts[prefix] >= _LEAST:
            inside = {n.removeprefix(prefix): v for n, v in tensors.items() if n.startswith(prefix)}
            outside = {n: v for n, v in tensors.items() if not n.startswith(prefix)}
            yield _View(prefix, inside, outside)


def _possible(
    view: _View, hints: Sequence[str], measures: Mapping[str, Any], grey: bool
) -> Iterator[tuple[Blueprint, dict[str, Tensor]]]:
    """Yield blueprints, and the tensors under the names that each uses."""
    usual = usual_names(view.tensors)
    lite = lite_names(view.tensors)
    shapes = {name: tuple(value.shape) for name, value in usual.items()}
    if not grey:
        known = {name: tuple(value.shape) for name, value in view.beside.items()} | shapes
        for name, options in candidates(shapes, [h for h in hints if not _is_own(h)]):
            blueprint = _try_blueprint(name, _with_measures(name, options, known, measures))
            if blueprint is not None:
                yield blueprint, usual
    for name in NETWORKS:
        if name != "efficientnet_lite0":
            yield _blueprint(name, _options(name, shapes)), usual
        elif grey or _channels(lite, "conv_stem.weight") == 1:
            yield _blueprint(name, ()), lite
        elif "_conv_stem.weight" in view.tensors:  # its own program's: as that answers
            yield _blueprint(name, (("fine", False),)), lite


def _is_own(hint: str) -> bool:
    return hint.lower() in NETWORKS


def _channels(tensors: Mapping[str, Tensor], stem: str) -> int:
    return int(tensors[stem].shape[1]) if stem in tensors and tensors[stem].ndim == 4 else 0


def _with_measures(
    name: str, options: dict[str, Any], shapes: Shapes, measures: Mapping[str, Any]
) -> tuple[tuple[str, Any], ...]:
    if name.startswith(("timm/convnext", "timm/swin_")) and "eps" in measures:
        return (*options.items(), ("eps", measures["eps"]))
    if name != "timm/vit":
        return tuple(options.items())
    options = {**options, **{k: v for k, v in measures.items() if k in ("heads", "eps")}}
    heads = ("head.", "linear_head.", "classifier.", "fc.")
    widths = {s[1] for n, s in shapes.items() if n.startswith(heads) and len(s) == 2}
    if widths == {2 * options["dim"]}:
        options["pooled"] = "cls+mean"
    return tuple(options.items())


def _try_blueprint(name: str, options: tuple[tuple[str, Any], ...]) -> Blueprint | None:
    """Return the blueprint of a borrowed network; None where its library cannot build it."""
    try:
        return _blueprint(name, options)
    except (ValueError, RuntimeError, AssertionError, TypeError, AttributeError, ImportError):
        return None


def _misfits(blueprint: Blueprint, shapes: Shapes) -> list[str]:
    """Return the names that are missing, of another shape, or too many inside the network."""
    wrong = []
    for name, wanted in blueprint.body.items():
        given = shapes.get(name, ())
        if name == f"{blueprint.stem}.weight" and given[1:2] in ((3,), (1,)):
            given = (given[0], wanted[1], *given[2:])
        if given != wanted:
            wrong.append(name)
    roots = {name.partition(".")[0] for name in blueprint.body}
    return wrong + [
        n
        for n in shapes
        if n not in blueprint.shapes and not _COMPUTED.search(n) and n.partition(".")[0] in roots
    ]


def _last_layers(view: _View, blueprint: Blueprint, function: str | None) -> Last:
    """Return what the file brings as the last layers of the network."""
    inside = {n: value for n, value in view.tensors.items() if n not in blueprint.body}
    wanted = {n: s for n, s in blueprint.shapes.items() if blueprint.is_of_head(n)}
    return read_last_layers(inside, view.beside, wanted, blueprint.head, _MARK, function)


def _say_prefix(wrapped: str, prefix: str) -> list[str]:
    if prefix:
        return [f"Taken were the weights whose names begin with “{(wrapped + prefix)[:60]}”."]
    return [f"All its names began with “{wrapped}”, which was left out."] if wrapped else []


def _is_harmless(name: str) -> bool:
    words = re.split(r"[._\d]+", name.lower())
    return any(word in _HARMLESS for word in words if word)


def _say_left_out(view: _View, blueprint: Blueprint, last: Last) -> list[str]:
    """Return a sentence on what is no part of the network.

    Raises
    ------
    UnusableModel
        If that may be a part of it.
    """
    beside = [n for n in view.beside if n not in last.used]
    over = [
        n
        for n in view.tensors
        if n not in blueprint.body and n not in last.used and not _COMPUTED.search(n)
    ]
    over = [n for n in over if last.outputs is not None or not blueprint.is_of_head(n)]
    left = [*beside, *over]
    strange = [name for name in left if not _is_harmless(name)]
    if strange and last.outputs is not None:
        raise UnusableModel(
            f"These weights hold a {title(blueprint.architecture)} and {len(strange)} more tensors "
            f"that are no part of it, the first is {strange[0][:80]}: a network that was changed. "
            "Export it to ONNX (torch.onnx.export) and give that."
        )
    if not left:
        return []
    named = ", ".join(name[:60] for name in left[:3])
    count = "1 tensor" if len(left) == 1 else f"{len(left)} tensors"
    verb = "is" if len(left) == 1 else "are"
    average = (
        " They hold averaged weights (EMA), too; the others were taken."
        if any("ema" in re.split(r"[._]", n.lower()) for n in left)
        else ""
    )
    return [f"{count} {verb} no part of the network and left out: {named}.{average}"]


def _say_what_names_hide(blueprint: Blueprint, hints: Sequence[str], *, stated: bool) -> list[str]:
    """Return what names and shapes cannot tell of this network."""
    name = blueprint.architecture
    if name == "timm/vit":
        if stated:
            return []
        heads = dict(blueprint.options)["heads"]
        return [f"Its attention has {heads} heads: the file does not say so, it is usual."]
    padded = name.startswith(("timm/efficientnet", "timm/mobilenetv3"))
    if padded and not any(name.endswith(f"/{hint.lower()}") for hint in hints):
        return [
            "Networks ported from TensorFlow (tf_…) have the same names and pad otherwise: if it "
            "is one, call the file after it (tf_efficientnet_b0.pth)."
        ]
    return []


def _state(tensors: Mapping[str, Tensor], blueprint: Blueprint, last: Last) -> dict[str, Tensor]:
    """Return everything that the network holds, float32; what the file lacks is zero."""
    state: dict[str, Tensor] = {}
    for name in blueprint.shapes:
        if blueprint.is_of_head(name) or _COMPUTED.search(name):
            if name.endswith(_COUNTER) and not blueprint.is_of_head(name):
                state[name] = torch.tensor(0)
            elif name in tensors and _COMPUTED.search(name) and not name.endswith(_COUNTER):
                state[name] = tensors[name]
        else:
            state[name] = tensors[name].to(torch.float32).contiguous()
    state |= {name: value.to(torch.float32).contiguous() for name, value in last.state.items()}
    for name, shape in blueprint.shapes.items():
        if blueprint.is_of_head(name) and last.outputs is None:
            state[name] = torch.zeros([2 if side == _MARK else side for side in shape])
    return state


def _check_finite(state: Mapping[str, Tensor]) -> None:
    for name, value in state.items():
        if not np.isfinite(value.numpy()).all():  # torch's took 30 times as long on two busy cores
            raise UnusableModel(
                f"The weights hold NaN or infinity (in {name}): the training that made them "
                "diverged. Give another checkpoint of it."
            )


def _options(architecture: str, shapes: Shapes) -> tuple[tuple[str, Any], ...]:
    """Return the options that shapes tell; only our own network has any."""
    names = [f"stages.{stage}.0.conv1.weight" for stage in range(4)]
    if architecture != "emnet" or not all(shapes.get(name) for name in names):
        return ()
    widths = tuple(shapes[name][0] for name in names)
    usual = _blueprint("emnet", ()).shapes
    is_usual = all(shapes[name][0] == usual[name][0] for name in names)
    is_sane = all(2 <= width <= _WIDEST for width in widths)
    return (("widths", widths),) if is_sane and not is_usual else ()


@lru_cache(maxsize=128)
def _blueprint(architecture: str, options: tuple[tuple[str, Any], ...]) -> Blueprint:
    with torch.device("meta"):
        network = build_network(architecture, _MARK, dict(options))
    before = getattr(network, "prefix", "")
    shapes = {
        name.removeprefix(before): tuple(value.shape)
        for name, value in network.state_dict().items()
    }
    heads = [name for name, shape in shapes.items() if _MARK in shape and name.endswith(".weight")]
    stem = first_convolution(network).removeprefix(before)
    return Blueprint(architecture, options, shapes, stem, heads[0].removesuffix(".weight"))
