"""Simulated samples for people: close to what an instrument records, and labelled as simulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.imaging.simulation import specimens
from core.imaging.simulation.detector import Look, secondary_electrons, transmission
from core.imaging.simulation.info_bar import Settings, draw_info_bar
from core.imaging.simulation.layout import Shape
from core.imaging.simulation.samples import SMALLEST_EDGE_PX, Simulation, number_objects
from core.imaging.simulation.scene import Floats, Mask, Scene
from core.micrograph import Micrograph, PixelSize

SAMPLE_SHAPE = (768, 1024)
_STREAM = 1125
_FIRST = {"dendrites": 3}  # whose evidence, by the shipped model, lies on the trees
Build = Callable[[Shape, np.random.Generator], Scene]


@dataclass(frozen=True, slots=True)
class _Recipe:
    """A specimen, how it is looked at, and at which scale (nm per px of 1024 columns)."""

    build: Build
    look: Look
    nm_per_px: tuple[float, ...]
    said: Settings


def _steel(coarse: bool) -> Build:
    return lambda shape, rng: specimens.steel(shape, rng, coarse)


_STEEL = Look(
    ground=0.33,
    body=0.62,
    tone=0.03,
    tilt=0.5,
    edge=0.4,
    edge_px=1.6,
    hollow=0.9,
    light=0.2,
    texture=0.012,
    blur_px=0.7,
    electrons=190,
    charging=0.01,
)
_POWDER = _Recipe(
    specimens.powder,
    Look(
        ground=0.05,
        body=0.36,
        tone=0.035,
        tilt=0.32,
        edge=0.24,
        edge_px=3.5,
        hollow=1.0,
        light=0.16,
        texture=0.008,
        blur_px=0.75,
        defocus_px=0.9,
        electrons=130,
        charging=0.02,
    ),
    (400.0, 320.0, 500.0),
    Settings(15, 9.8, "SE"),
)
_RECIPES: dict[str, tuple[_Recipe, ...]] = {
    "alloys": (
        _Recipe(_steel(False), _STEEL, (25.0,), Settings(10, 6.1, "SE")),
        _Recipe(_steel(True), _STEEL, (25.0,), Settings(10, 6.1, "SE")),
    ),
    "dendrites": (
        _Recipe(
            specimens.ferns,
            Look(
                ground=0.2,
                body=0.62,
                tone=0.07,
                tilt=0.3,
                edge=0.3,
                edge_px=2.5,
                hollow=0.4,
                light=0.1,
                texture=0.012,
                blur_px=0.9,
                electrons=42,
                charging=0.03,
            ),
            (60.0, 80.0, 50.0),
            Settings(5, 5.2, "InLens"),
        ),
    ),
    "polyhedra": (
        _Recipe(
            specimens.cubes,
            Look(
                ground=0.16,
                body=0.46,
                tone=0.03,
                tilt=0.16,
                edge=0.55,
                edge_px=3.2,
                hollow=0.5,
                light=0.05,
                texture=0.014,
                blur_px=1.1,
                electrons=75,
                charging=0.02,
            ),
            (1.25, 1.0, 1.5),
            Settings(5, 3.1, "SE"),
        ),
    ),
    "rods_fibres": (
        _Recipe(
            specimens.rods,
            Look(
                ground=0.3,
                body=0.5,
                tone=0.02,
                tilt=0.28,
                edge=0.4,
                edge_px=2.8,
                hollow=0.8,
                light=0.08,
                texture=0.014,
                blur_px=0.85,
                electrons=110,
                charging=0.02,
            ),
            (8.0, 10.0, 6.0),
            Settings(3, 4.4, "SE"),
        ),
    ),
    "spheroids": (
        _POWDER,
        _Recipe(
            specimens.nanoparticles,
            Look(blur_px=0.9, electrons=150),
            (0.25, 0.2, 0.4),
            Settings(120, 0, "TEM BF"),
        ),
    ),
}


def sample_micrograph(kind: str, seed: int = 0, shape: Shape = SAMPLE_SHAPE) -> Simulation:
    """Return a simulated micrograph as an instrument would hand it over, with its info bar.

    Training pictures, tests and benchmarks use `simulate`, whose pictures stay as they are.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    seed : int
        Non-negative; another seed is another field, of another specimen for some kinds: alloys
        alternate between a short and a long anneal, spheroids between a powder in the scanning
        and nanoparticles in the transmission electron microscope.
    shape : tuple of int
        (rows, columns), each at least 16 px.

    Returns
    -------
    Simulation
        8-bit; the truth leaves out what the info bar covers.

    Raises
    ------
    ValueError
        If the kind is unknown or an edge is too short.
    """
    if kind not in _RECIPES:
        raise ValueError(f"kind must be one of {', '.join(_RECIPES)}; got {kind!r}")
    if min(shape) < SMALLEST_EDGE_PX:
        raise ValueError(f"shape must be two edges of at least {SMALLEST_EDGE_PX} px, got {shape}")
    recipe = _RECIPES[kind][seed % len(_RECIPES[kind])]
    stream = [_STREAM, list(_RECIPES).index(kind), seed + _FIRST.get(kind, 0)]
    rng = np.random.default_rng(stream)
    scene = recipe.build(shape, rng)
    record = secondary_electrons if recipe.said.wd_mm else transmission
    image = record(scene, recipe.look, rng)
    nm = recipe.nm_per_px[int(rng.integers(len(recipe.nm_per_px)))] * 1024 / shape[1]
    size = PixelSize(nm, "nm") if nm < 100 else PixelSize(nm / 1e3, "µm")
    image, overlays = draw_info_bar(image, size, recipe.said)
    return _simulation(kind, seed, image, scene, overlays, size, recipe.said)


def _simulation(
    kind: str,
    seed: int,
    image: Floats,
    scene: Scene,
    overlays: Mask,
    size: PixelSize,
    said: Settings,
) -> Simulation:
    """Return the picture in 8 bits with its truth, objects numbered without gaps."""
    mask = scene.mask & ~overlays
    numbers = number_objects(kind, mask, np.where(mask, scene.instances, 0))
    micrograph = Micrograph(
        name=f"simulated {kind.replace('_', ' and ')} {seed}",
        pixels=np.rint(image * np.float32(255)).astype(np.uint8),
        pixel_size=size,
        metadata={
            "simulated": True,
            "calibration": "simulation",
            "instrument": f"simulated {'SEM' if said.wd_mm else 'TEM'}",
            "seed": seed,
        },
    )
    return Simulation(micrograph, mask, kind, overlays, numbers)
