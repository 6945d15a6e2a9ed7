"""A network ready to classify, as every visitor and every thread shares it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from core.learning.models.card import ModelCard
from core.learning.models.networks import CHANNELS
from core.learning.models.one_call import OneCall
from core.learning.models.preparation import batch_size, require_room
from core.learning.models.preparing.choice import AnyPreparation, make_preparation
from core.learning.models.preparing.stated import Stated
from core.learning.models.reference import Reference
from core.micrograph import Micrograph

_MOST_BYTES = 32_000_000  # of maps that are remembered


class Classifier:
    """A network ready to classify: in eval mode, without gradients, shared by every thread.

    Attributes
    ----------
    network : Module
        The module itself; treat it as read-only.
    card : ModelCard
    name : str
    device : str
        "cuda", "mps" or "cpu".
    reference : Reference or None
        What is kept of the training set; None when the model brings none.
    """

    def __init__(
        self,
        network: nn.Module,
        card: ModelCard,
        device: str = "cpu",
        reference: Reference | None = None,
    ) -> None:
        self.card = card
        self.name = card.name
        self.device = device
        self.reference = reference
        self.preparation = make_preparation(card.preparation)
        # Channels last: convolutions on a CPU took two thirds of the time.
        network = network.eval().requires_grad_(False).to(device)
        self._network: nn.Module = network.to(memory_format=torch.channels_last)
        self._levels = _levels(self.preparation, self.channels, device)
        self._recent = _Recent()
        self._at_once = OneCall(self._network)
        self._blocks: dict[str, nn.Module] = dict(self._network.blocks())  # type: ignore[operator]

    def batch_size(self, size_hw: Sequence[int]) -> int:
        """Return how many inputs of a height and width (px) enter the network together.

        One on a CPU: maps of several do not fit into its caches (the shipped network took 0.15 s
        of a core for each of 14 together, and 0.09 s alone), and an answer is the same whatever
        enters beside it.
        """
        return 1 if self.device == "cpu" else batch_size(size_hw)

    @property
    def channels(self) -> int:
        """Input channels of the network; a grey frame is given to each of them."""
        return int(self.card.options.get(CHANNELS, 1))

    @property
    def network(self) -> nn.Module:
        """The module itself; treat it as read-only."""
        return self._network

    def prepare(self, micrograph: Micrograph, exclude: np.ndarray | None = None) -> Tensor:
        """Return the network's input, shape (1, 1, h, w), float32, on the classifier's device.

        Raises
        ------
        OutOfMemory
            If the card asks for an input that does not fit into the memory that is left.
        """
        require_room(self.preparation.size_hw(micrograph.shape))
        image = self.preparation(micrograph, exclude)
        return torch.from_numpy(image)[None, None].to(self.device)

    def features(self, x: Tensor) -> Tensor:
        """Return the last activation map (N, C, h', w') as float32; autocast on CUDA."""
        activation: Tensor
        if self.device == "cpu" and not (torch.is_grad_enabled() or self.answers_only):
            return self._at_once(self._enter(x)).float()
        with torch.autocast("cuda", enabled=self.device == "cuda"):
            activation = self._network.features(self._enter(x))  # type: ignore[operator]
        return activation.float()

    def look(self, x: Tensor) -> Tensor:
        """Return `features` (N, C, h', w') without gradients; read-only, since others share it.

        Of a single frame on a CPU the map is remembered for a while: an answer and all
        explanations of a frame begin with it.
        """
        with torch.no_grad():  # not inference mode: an explanation asks for gradients from here on
            if len(x) > 1 or self.device != "cpu" or self.answers_only:
                return self.features(x)
            return self._recent.get(x, self.features)

    def places(self, activation: Tensor) -> Tensor:
        """Return those channels (N or none, C, h, w) of an activation that are maps.

        Behind those of a transformer its class token follows, which is no place of the frame.
        """
        apart = 1 + int(getattr(self._network, "carried", 0))
        return activation.narrow(-3, 0, activation.shape[-3] // apart)

    @property
    def has_fixed_size(self) -> bool:
        """Whether the network takes inputs of one size only, as transformers do."""
        fixed = self.card.architecture.startswith(("timm/vit", "timm/swin", "timm/deit"))
        return fixed or (self.answers_only and "image" in self.card.options)

    @property
    def answers_only(self) -> bool:
        """Whether the network gives answers and no gradients or activations, as ONNX does."""
        return bool(getattr(self._network, "answers_only", False))

    @property
    def has_attention(self) -> bool:
        """Whether the network is a transformer, whose attention can be followed."""
        return hasattr(self._network, "attentions")

    def attentions(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the attention (N, heads, tokens, tokens) of every block of a transformer."""
        yield from self._network.attentions(self._enter(x))  # type: ignore[operator]

    def _enter(self, x: Tensor) -> Tensor:
        """Return the network's own input (N, channels, h, w) for prepared frames (N, 1, h, w)."""
        if self._levels is not None:
            mean, std = self._levels
            return (x - mean) / std
        return x.expand(-1, self.channels, -1, -1) if self.channels > x.shape[1] else x

    def head(self, activation: Tensor) -> Tensor:
        """Return logits (N, classes) of an activation map, in float32.

        A network with one output z has the logits (-z/2, z/2), whose softmax is its sigmoid.
        """
        logits: Tensor = self._network.head(activation)  # type: ignore[operator]
        return torch.cat([-logits / 2, logits / 2], dim=1) if logits.shape[1] == 1 else logits

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the activation maps, from the input on; the last is that of `features`."""
        return tuple(self._blocks)

    def activation(self, x: Tensor, layer: str) -> Tensor:
        """Return the activation map (N, C, h', w') of a layer as float32; autocast on CUDA.

        Raises
        ------
        ValueError
            If no layer has that name.
        """
        return self._run(self._enter(x), 0, self._end_of(layer))

    def activations(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield every layer's name and activation map (N, C, h', w') as float32, from one run."""
        x = self._enter(x)
        for place, layer in enumerate(self._blocks):
            x = self._run(x, place, place + 1)
            yield layer, x

    def finish(self, activation: Tensor, layer: str) -> Tensor:
        """Return logits (N, classes) that follow from the activation map of a layer, in float32.

        Raises
        ------
        ValueError
            If no layer has that name.
        """
        return self.head(self._run(activation, self._end_of(layer), len(self._blocks)))

    @cached_property
    def has_linear_head(self) -> bool:
        """Whether class scores are linear in the averages of the last activation map.

        Tried out with activations drawn at random: only the averages count, and they add up.
        """
        draw = torch.Generator().manual_seed(0)
        if self.answers_only:
            return False
        with torch.inference_mode():
            channels = self.features(torch.zeros(1, 1, *self._any_hw, device=self.device)).shape[1]
            a, b = torch.rand(2, 1, channels, 8, 8, generator=draw).to(self.device)
            averages = a.mean(dim=(2, 3), keepdim=True).expand_as(a)
            head_a, head_b, head_0 = self.head(a), self.head(b), self.head(torch.zeros_like(a))
            only_averages = torch.allclose(head_a, self.head(averages), rtol=1e-4, atol=1e-5)
            summed = self.head(a + b) - head_0
        linear = torch.allclose(head_a + head_b - 2 * head_0, summed, rtol=1e-4, atol=1e-5)
        return only_averages and linear

    @property
    def _any_hw(self) -> tuple[int, int]:
        """A size that this network takes: transformers are made for one."""
        fixed = isinstance(self.preparation, Stated)
        return self.preparation.size_hw((64, 64)) if fixed else (64, 64)

    def _end_of(self, layer: str) -> int:
        if layer not in self._blocks:
            raise ValueError(f"no layer is called {layer!r}; there are {', '.join(self._blocks)}")
        return self.layers.index(layer) + 1

    def _run(self, x: Tensor, start: int, end: int) -> Tensor:
        with torch.autocast("cuda", enabled=self.device == "cuda"):
            for block in list(self._blocks.values())[start:end]:
                x = block(x)
        return x.float()


class _Recent:
    """The last maps by the frame they were made of: a page asks for the same one several times.

    The answer, each class's explanation and every method of it start from one activation map,
    which costs nearly all of the time. The one that was not asked for longest goes first.
    Threads share it: two that ask for one frame at once both make its map, which is the same.

    Parameters
    ----------
    most_bytes : int
        What is kept together.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[bytes, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, frame: Tensor, make: Callable[[Tensor], Tensor]) -> Tensor:
        """Return `make(frame)`, or what it was the last time; treat it as read-only.

        Parameters
        ----------
        frame : Tensor of shape (1, 1, h, w), float32, on the CPU
        make : function
            Of the frame alone: called again it returns the same.
        """
        key = hashlib.sha256(frame.contiguous().numpy().tobytes() + str(frame.shape).encode())
        with self._lock:
            if (found := self._kept.get(key.digest())) is not None:
                self._kept.move_to_end(key.digest())
                return found
        made = make(frame)
        with self._lock:
            self._kept[key.digest()] = made
            while len(self._kept) > 1 and self._bytes() > self._most:
                self._kept.popitem(last=False)
        return made

    def _bytes(self) -> int:
        return sum(kept.nbytes for kept in self._kept.values())


def _levels(
    preparation: AnyPreparation, channels: int, device: str
) -> tuple[Tensor, Tensor] | None:
    """Return what is subtracted and divided by where channels are made, (1, channels, 1, 1)."""
    if not isinstance(preparation, Stated):
        return None
    mean, std = (
        torch.tensor(values, dtype=torch.float32, device=device).expand(channels)
        if len(values) == 1
        else torch.tensor(values, dtype=torch.float32, device=device)[:channels]
        for values in (preparation.mean, preparation.std)
    )
    return mean.reshape(1, -1, 1, 1), std.reshape(1, -1, 1, 1)


def pick_device(device: str = "auto") -> str:
    """Return the device to use: CUDA, else Apple MPS, else CPU, when asked for "auto"."""
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def use_threads(count: int) -> None:
    """Let this thread's networks compute with so many threads on a CPU."""
    torch.set_num_threads(count)
