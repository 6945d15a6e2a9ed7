"""Pictures with numbered particles -> a model folder that `find_particles` uses."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.overlays import search_levels
from core.imaging.reading import read_micrograph
from core.imaging.simulation import simulate
from core.learning.particles import (
    ParticleCard,
    ParticleNetwork,
    find_by_shape,
    find_with,
    save_particle_model,
)
from core.learning.particles_training.fitting import Example, fit
from core.learning.particles_training.readme import write_readme
from core.learning.particles_training.scoring import Score, compare, summary
from core.learning.training import Start
from core.micrograph import Micrograph

_SIMULATED_KINDS = ("spheroids", "spheroids", "polyhedra", "rods_fibres")
_SIMULATED_PX = 256
_SEVERITIES = (0.3, 0.6, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class NumberedPicture:
    """A micrograph and the number of the particle at each pixel, 0 for ground."""

    micrograph: Micrograph
    labels: NDArray[Any]


def read_numbered(folder: Path) -> list[NumberedPicture]:
    """Return the pictures of a folder with `images` and `instances`, file by file the same names.

    Raises
    ------
    UserError
        If there are none, or a picture has no instances of its own size.
    """
    return list(_read(folder))


def _read(folder: Path) -> Iterator[NumberedPicture]:
    files = sorted((folder / "images").glob("*.png"))
    if not files:
        raise UserError(
            f"{folder.name} holds no pictures with numbered particles. It needs the folders "
            "“images” and “instances” with PNG files of the same names."
        )
    for file in files:
        drawn = folder / "instances" / file.name
        if not drawn.is_file():
            raise UserError(f"{file.name} has no numbered particles. Add instances/{file.name}.")
        micrograph, labels = read_micrograph(file), read_micrograph(drawn).pixels
        if labels.shape != micrograph.shape:
            raise UserError(f"The instances of {file.name} have another size than the picture.")
        yield NumberedPicture(micrograph, labels)


def train_particles(
    learned: Sequence[Path],
    held_out: Sequence[Path],
    out: Path,
    *,
    start: Start,
    minutes: float = 60,
    simulated: int = 3000,
    work: Path | None = None,
    seed: int = 0,
    facts: dict[str, Any] | None = None,
    on_step: Callable[[int, float, float], None] | None = None,
) -> ParticleCard:
    """Train a particle network and write its folder: weights, card, README.

    Parameters
    ----------
    learned, held_out : sequence of Path
        Folders with `images` and `instances`; what is held out only gives scores. Keep pictures
        of one article together.
    out : Path
    start : Start
        Weights of EfficientNet-Lite0 for the encoder (`starting.read_start`).
    minutes : float
        For the steps; a training that was cut off goes on where `work` has kept it.
    simulated : int
        Frames that are simulated before.
    work : Path, optional
    seed : int
    facts : dict, optional
        Further fields of the card (data, limits).
    on_step : callable, optional

    Raises
    ------
    UserError
        If a folder holds no numbered pictures, or the start is another architecture.
    """
    network = _begin(start, seed)
    real = [_example(picture) for folder in learned for picture in _read(folder)]
    frames = [_simulated(number) for number in range(simulated)]
    with tempfile.TemporaryDirectory() as elsewhere:
        kept = (work or Path(elsewhere)) / "particles.pt"
        kept.parent.mkdir(parents=True, exist_ok=True)
        network = fit(network, real, frames, 60 * minutes, kept, seed, on_step)
    pictures = [picture for folder in held_out for picture in _read(folder)]
    training = {
        "pictures": len(real),
        "simulated": len(frames),
        "minutes": minutes,
        "seed": seed,
        "start": start.source,
        "start_sha256": start.sha256,
    }
    card = ParticleCard(
        out.resolve().name, metrics=measure(network, pictures), training=training, **(facts or {})
    )
    return finish(out, network, card)


def finish(out: Path, network: ParticleNetwork, card: ParticleCard) -> ParticleCard:
    """Write the model folder with its README; return the card as written."""
    card = save_particle_model(out, network, card)
    write_readme(out, card)
    return card


def measure(network: ParticleNetwork, pictures: Sequence[NumberedPicture]) -> dict[str, Any]:
    """Return the scores of a network beside those of threshold and shape, by picture and in all."""
    if not pictures:
        return {}
    ways: dict[str, Callable[[Micrograph], NDArray[Any]]] = {
        "network": lambda micrograph: find_with(network, micrograph),
        "by shape": find_by_shape,
    }
    scores: dict[str, list[Score]] = {
        way: [compare(find(each.micrograph), each.labels) for each in pictures]
        for way, find in ways.items()
    }
    rows = [
        {"picture": each.micrograph.name, "particles": ours.hit + ours.missed,
         "ap50_pct": round(100 * ours.ap50, 1), "by_shape_ap50_pct": round(100 * plain.ap50, 1)}
        for each, ours, plain in zip(pictures, scores["network"], scores["by shape"], strict=True)
    ]  # fmt: skip
    return {**{way: summary(found) for way, found in scores.items()}, "by_picture": rows}


def _begin(start: Start, seed: int) -> ParticleNetwork:
    """Return an untrained network whose encoder has the weights of a start."""
    if start.architecture != "efficientnet_lite0":
        raise UserError(
            "A particle network begins with weights of EfficientNet-Lite0. Start from "
            "efficientnet-lite0."
        )
    torch.manual_seed(seed)
    network = ParticleNetwork()
    own = network.state_dict()
    fits = {name: value for name, value in start.weights.items() if name in own}
    network.load_state_dict({**own, **fits})
    return network.to(memory_format=torch.channels_last)


def _example(picture: NumberedPicture) -> Example:
    pixels = picture.micrograph.pixels
    return Example.of(pixels if pixels.dtype == np.uint8 else search_levels(pixels), picture.labels)


def _simulated(number: int) -> Example:
    rng = np.random.default_rng([7, number])
    frame = simulate(
        _SIMULATED_KINDS[number % len(_SIMULATED_KINDS)],
        (_SIMULATED_PX, _SIMULATED_PX),
        seed=50_000 + number,
        annotations=True,
        severity=float(rng.choice(_SEVERITIES)),
    )
    return Example.of(frame.micrograph.pixels, frame.instances.astype(np.uint16))
