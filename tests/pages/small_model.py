"""A tiny untrained network in a model folder, so that no page test waits for a real one."""

from pathlib import Path

import torch

from core.learning.models import ModelCard, save_model
from core.learning.models.networks import build_network

CLASSES = ("alloys", "dendrites", "polyhedra", "rods_fibres", "spheroids")
OPTIONS = {"widths": [16] * 4}  # narrower ones leave oneDNN's path that no thread count changes


def save_small_model(folder: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network("emnet", len(CLASSES), OPTIONS)
    card = ModelCard(
        "em-morph5-2", "emnet", CLASSES, {"rods_fibres": "rods & fibres"}, options=OPTIONS
    )
    save_model(folder / "em-morph5-2", network, card)
