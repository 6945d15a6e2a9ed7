"""An ONNX file -> a network that answers, and what it says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import UnusableModel
from core.learning.models.borrowed.from_onnx import OnnxNetwork, Runner
from core.learning.models.borrowed.onnx_graph import last_operator
from core.learning.models.foreign.fitting import MOST_OUTPUTS, Fit
from core.learning.models.foreign.limits import check_size

_USUAL_PX = 224
_ALL = 1e-3  # how near to 1 probabilities add up


def is_onnx(path: Path, file_name: str) -> bool:
    """Tell an ONNX file by its name and its first byte, the version of its form."""
    if not f"{path.name} {file_name}".lower().strip().endswith(".onnx") and path.suffix != ".onnx":
        return False
    with path.open("rb") as stream:
        return stream.read(1) == b"\x08"


def fit_onnx(path: Path) -> tuple[Fit, dict[str, Any]]:
    """Return the network of an ONNX file, and the texts that stand in it.

    Raises
    ------
    UnusableModel
        If it cannot be run, or does not take one picture and give one row of scores.
    """
    check_size(path.stat().st_size)
    program = path.read_bytes()
    runner = Runner(program)
    told = runner.told
    layout, channels, side, together = _read_input(told["inputs"])
    probe = np.random.default_rng(0).random((2, channels, side or _USUAL_PX, side or _USUAL_PX))
    given = probe.astype(np.float32)
    given = given.transpose(0, 2, 3, 1) if layout == "NHWC" else given
    scores = runner.ask(np.ascontiguousarray(given), together=together)
    is_row = scores.ndim == 2 and 1 <= scores.shape[1] <= MOST_OUTPUTS
    if not is_row or not np.isfinite(scores).all():
        raise UnusableModel(
            f"The ONNX network gives an answer of the shape {scores.shape}, not one row of finite "
            "scores a picture: it is no classifier. Export the classifier alone."
        )
    outputs = int(scores.shape[1])
    sums = scores.sum(axis=1)
    sure = outputs > 1 and bool((scores >= 0).all() and (np.abs(sums - 1) < _ALL).all())
    by_sigmoid = last_operator(program) == "Sigmoid" and bool(((scores >= 0) & (scores <= 1)).all())
    options: dict[str, Any] = {
        "program_bytes": len(program),
        "layout": layout,
        "scores": "sigmoids" if by_sigmoid else "probabilities" if sure else "logits",
        "together": together,
    }
    if side:
        options["image"] = side
    network = OnnxNetwork(outputs, **options)
    network.program = torch.frombuffer(bytearray(program), dtype=torch.uint8)
    if channels == 3:
        options["channels"] = 3
    notes = ["It runs in a process of its own; explained by hiding parts, as it shows no layers."]
    if by_sigmoid:
        notes.append("It gives probabilities, one sigmoid each: they are taken as they are.")
    elif sure:
        notes.append("It gives probabilities, not scores: their logarithm is taken.")
    said = told["metadata"] | ({"activation": "sigmoid"} if by_sigmoid and outputs > 1 else {})
    return Fit("onnx", options, network, outputs, channels, tuple(notes), {}), said


def _read_input(inputs: list[Any]) -> tuple[str, int, int | None, bool]:
    """Return layout, channels, side in px (None where any fits) and whether batches enter."""
    if len(inputs) != 1 or len(inputs[0][1]) != 4 or "float" not in inputs[0][2]:
        raise UnusableModel(
            "The ONNX network does not take one batch of pictures as floats. Export it with one "
            "input of the shape (N, channels, height, width)."
        )
    count, *sides = inputs[0][1]
    layout = "NHWC" if sides[2] in (1, 3) and sides[0] not in (1, 3) else "NCHW"
    channels, *size = sides if layout == "NCHW" else (sides[2], *sides[:2])
    if channels not in (1, 3):
        raise UnusableModel(
            f"The ONNX network takes {channels!r:.20} channels; micrographs are grey, networks for "
            "1 or 3 channels fit."
        )
    numbers = [side for side in size if isinstance(side, int) and side > 0]
    if numbers and (len(set(numbers)) != 1 or not 8 <= numbers[0] <= 1024):
        raise UnusableModel("The ONNX network takes pictures that are not square, 8 to 1024 px.")
    return (
        layout,
        channels,
        numbers[0] if numbers else None,
        count != 1 and not isinstance(count, int),
    )
