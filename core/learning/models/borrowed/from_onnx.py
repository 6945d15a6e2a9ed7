"""A network in ONNX: it answers, in a bounded process of its own, and shows nothing else.

What explains by gradients or activations does not fit; hiding parts of the picture does. The
program is kept as one tensor of bytes, so that it lies in `weights.safetensors` as every other
network's weights do.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import UnusableModel
from core.learning.models.borrowed import onnx_process
from core.learning.models.borrowed.backbones import Blocks

ONNX = "onnx"
MOST_BYTES = 800_000_000
_START_S, _ANSWER_S = 120.0, 120.0
_ROOT = Path(__file__).resolve().parents[4]
_FAILED = "The ONNX network gives no answer to a picture ({words}). Export it again."
_LAYOUTS, _SCORES = ("NCHW", "NHWC"), ("logits", "probabilities", "sigmoids")
_LEAST = 1e-30  # a probability whose logarithm is still finite


class OnnxNetwork(nn.Module):
    """An ONNX program that takes (N, channels, H, W) and gives (N, classes) logits.

    Parameters
    ----------
    classes : int
    program_bytes : int
        Length of the program.
    layout : str
        Of what it takes: NCHW or NHWC.
    scores : str
        What it gives: logits; probabilities, whose logarithm is then taken; or sigmoids, of which
        the logits are taken.
    together : bool
        Whether several pictures may enter at once.
    image : int, optional
        Side in px of what it takes, where that is fixed.
    """

    answers_only = True

    def __init__(
        self,
        classes: int,
        program_bytes: int,
        layout: str = "NCHW",
        scores: str = "logits",
        together: bool = True,
        image: int | None = None,
    ) -> None:
        super().__init__()
        if type(program_bytes) is not int or not 1 <= program_bytes <= MOST_BYTES:
            raise ValueError("an ONNX program has 1 to 800,000,000 bytes")
        if layout not in _LAYOUTS or scores not in _SCORES or type(together) is not bool:
            raise ValueError("an ONNX program takes NCHW or NHWC and gives logits or probabilities")
        if image is not None and not (type(image) is int and 1 <= image <= 1024):
            raise ValueError("an ONNX program takes pictures of 1 to 1024 px")
        self._classes, self._layout = classes, layout
        self._scores, self._together = scores, together
        self.program: Tensor
        self.register_buffer("program", torch.empty(program_bytes, dtype=torch.uint8))
        self._runner: Runner | None = None
        self._lock = threading.Lock()

    def blocks(self) -> Blocks:
        """Return the input: nothing else of the program can be seen."""
        return (("input", nn.Identity()),)

    def features(self, x: Tensor) -> Tensor:
        """Return the input itself."""
        return x

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for inputs (N, channels, H, W).

        Raises
        ------
        UnusableModel
            If the program fails or takes too long.
        """
        x = activation.permute(0, 2, 3, 1) if self._layout == "NHWC" else activation
        values = np.ascontiguousarray(x.detach().cpu().float().numpy())
        with self._lock:
            if self._runner is None or not self._runner.is_running:
                self._runner = Runner(bytes(self.program.cpu().numpy()))
            scores = self._runner.ask(values, together=self._together)
        if scores.shape != (len(values), self._classes):
            raise UnusableModel(_FAILED.format(words=f"scores of the shape {scores.shape}"))
        logits = torch.from_numpy(scores.copy()).to(activation.device)
        if self._scores == "logits":
            return logits
        likely = logits.double().clamp(min=_LEAST).log()
        if self._scores == "sigmoids":
            likely = likely - (1 - logits.double()).clamp(min=_LEAST).log()
        return likely.float()

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape (N, classes)."""
        return self.head(self.features(x))

    def __deepcopy__(self, memo: Mapping[int, Any]) -> OnnxNetwork:
        """Nothing in a program can be changed: a copy is the network itself."""
        return self


class Runner:
    """One running process with a program in it; `told` is what that says of itself.

    Raises
    ------
    UnusableModel
        If it is no ONNX program that can be run here.
    """

    def __init__(self, program: bytes) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", onnx_process.__name__],
            bufsize=0,
            cwd=_ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._end = weakref.finalize(self, _end, self._process)
        self.told, _ = self._exchange({"program": len(program)}, program, _START_S)

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def ask(self, pictures: np.ndarray, *, together: bool) -> np.ndarray:
        """Return the scores (N, classes), float32, of pictures as the program takes them."""
        header = {"shape": pictures.shape, "together": together}
        answer, values = self._exchange(header, pictures.tobytes(), _ANSWER_S)
        return np.frombuffer(values, np.float32).reshape(answer["shape"])

    def _exchange(
        self, header: dict[str, Any], values: bytes, seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        try:
            with self._at_most(seconds):
                onnx_process.send(self._process.stdin, header, values)
                answer, found = onnx_process.receive(self._process.stdout)
        except (OSError, EOFError, ValueError) as error:
            self._end()
            words = "it takes more time or memory than it may"
            raise UnusableModel(_FAILED.format(words=words)) from error
        if "error" in answer:
            words = "".join(c for c in str(answer["words"]) if c.isprintable())[:160]
            raise UnusableModel(_FAILED.format(words=words))
        return answer, found

    @contextlib.contextmanager
    def _at_most(self, seconds: float) -> Iterator[None]:
        watchdog = threading.Timer(seconds, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
