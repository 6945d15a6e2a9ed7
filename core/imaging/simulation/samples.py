"""Simulated micrographs with known truth: samples for people, answers for tests, training data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.simulation.alloys import alloys
from core.imaging.simulation.camera import form_image
from core.imaging.simulation.dendrites import dendrites
from core.imaging.simulation.labels import annotate
from core.imaging.simulation.particles import polyhedra, rods_fibres, spheroids
from core.imaging.simulation.scene import Floats, Mask, Scene, log_uniform
from core.imaging.simulation.signal import shade
from core.micrograph import Micrograph, PixelSize

_BUILDERS: dict[str, Callable[[tuple[int, int], np.random.Generator], Scene]] = {
    "alloys": alloys,
    "dendrites": dendrites,
    "polyhedra": polyhedra,
    "rods_fibres": rods_fibres,
    "spheroids": spheroids,
}
KINDS = tuple(_BUILDERS)
_CONNECTED = ("alloys", "dendrites")  # cut from one piece: no object is put down on its own
SMALLEST_EDGE_PX = 16
_STREAMS = {"alloys": 40, "dendrites": 51, "polyhedra": 82, "rods_fibres": 53, "spheroids": 54}
_LEVELS = {"8-bit": (255, np.uint8), "16-bit": (65535, np.uint16)}
_FIELD_NM = {
    "alloys": (2e3, 1e5),
    "dendrites": (1e4, 5e5),
    "polyhedra": (1e2, 1e4),
    "rods_fibres": (1e2, 2e4),
    "spheroids": (1e2, 5e4),
}


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulated micrograph and what is true of it.

    Parameters
    ----------
    micrograph : Micrograph
        The picture, with a pixel size.
    mask : ndarray of shape (H, W), bool
        True on the objects or the second phase; labels drawn over the picture leave it unchanged.
    kind : str
        One of `KINDS`.
    overlays : ndarray of shape (H, W), bool
        True where letters, scale bar or info bar were drawn over the picture.
    instances : ndarray of shape (H, W), int32
        Number of the object at each pixel, from 1 without gaps; 0 off the mask. Of particles and
        fibres every one has its own, and the nearer hides the farther; of alloys and dendrites,
        what is connected (at corners, too) is one.

    Raises
    ------
    ValueError
        If a mask is not boolean, the instances are not int32, or one has another shape.
    """

    micrograph: Micrograph
    mask: Mask
    kind: str
    overlays: Mask
    instances: NDArray[np.int32]

    def __post_init__(self) -> None:
        for name in ("mask", "overlays"):
            mask = getattr(self, name)
            if mask.shape != self.micrograph.shape or mask.dtype != np.bool_:
                raise ValueError(
                    f"{name} must be bool of shape {self.micrograph.shape}, "
                    f"got {mask.dtype} of shape {mask.shape}"
                )
        if self.instances.shape != self.mask.shape or self.instances.dtype != np.int32:
            raise ValueError(
                f"instances must be int32 of shape {self.mask.shape}, "
                f"got {self.instances.dtype} of shape {self.instances.shape}"
            )


def simulate(
    kind: str,
    shape: tuple[int, int] = (512, 512),
    seed: int = 0,
    *,
    depth: str = "8-bit",
    annotations: bool = False,
    severity: float = 0.3,
) -> Simulation:
    """Return a simulated micrograph of one kind; the same arguments give the same bytes.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    shape : tuple of int
        (rows, columns), each at least 16 px.
    seed : int
        Non-negative; chooses specimen, instrument and noise.
    depth : str
        "8-bit" for uint8 pixels or "16-bit" for uint16 pixels with the same content.
    annotations : bool
        Whether letters, scale bars and info bars may be drawn over the picture. They are chosen
        without regard to the kind.
    severity : float
        How bad noise, focus, contrast and scan may get: 0 is a good day at the microscope, 1 is
        anything that has ever been published. Above 0.5, every kind is also seen with every
        instrument, so that style gives no kind away.

    Returns
    -------
    Simulation

    Raises
    ------
    ValueError
        If the kind or depth is unknown, an edge is too short, or the severity is not in [0, 1].
    """
    _check(kind, shape, depth)
    if not 0 <= severity <= 1:
        raise ValueError(f"severity must be between 0 and 1, got {severity}")
    rng = np.random.default_rng([_STREAMS[kind], seed])
    image, scene, overlays, instrument = _picture(kind, shape, rng, annotations, severity)
    pixel_size = _pixel_size(kind, shape, rng)
    micrograph = Micrograph(
        name=f"simulated {kind.replace('_', ' and ')} {seed}",
        pixels=_quantise(image, depth),
        pixel_size=pixel_size,
        metadata={
            "simulated": True,
            "calibration": "simulation",
            "instrument": instrument,
            "seed": seed,
        },
    )
    return Simulation(
        micrograph, scene.mask, kind, overlays, number_objects(kind, scene.mask, scene.instances)
    )


def number_objects(kind: str, mask: Mask, instances: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the number of the object at each pixel, from 1 without gaps; 0 off the mask.

    Parameters
    ----------
    kind : str
        Of what is cut from one piece, what is connected is one object.
    mask : ndarray of shape (H, W), bool
    instances : ndarray of shape (H, W), int32
        As the scene numbered what was put down.
    """
    if kind in _CONNECTED:
        _, found = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
        return np.asarray(found, np.int32)
    seen = np.bincount(instances.ravel()) > 0
    seen[0] = False
    numbers = np.cumsum(seen, dtype=np.int32) * seen
    return np.asarray(numbers[instances], np.int32)


def _check(kind: str, shape: tuple[int, int], depth: str) -> None:
    if kind not in _BUILDERS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    if depth not in _LEVELS:
        raise ValueError(f"depth must be one of {', '.join(_LEVELS)}; got {depth!r}")
    if len(shape) != 2 or min(shape) < SMALLEST_EDGE_PX:
        raise ValueError(f"shape must be two edges of at least {SMALLEST_EDGE_PX} px, got {shape}")


def _picture(
    kind: str,
    shape: tuple[int, int],
    rng: np.random.Generator,
    annotations: bool,
    severity: float,
) -> tuple[Floats, Scene, Mask, str]:
    """Return the picture in [0, 1], the specimen, the pixels drawn over, and the instrument."""
    scene = _specimen(kind, shape, rng)
    sections = severity > 0.5 or kind not in _CONNECTED
    signal, instrument = shade(scene, rng, severity, sections=sections)
    image = form_image(signal, rng, severity)
    overlays = np.zeros(shape, np.bool_)
    if annotations:
        image, overlays = annotate(image, rng)
    return image, scene, overlays, instrument


def _specimen(kind: str, shape: tuple[int, int], rng: np.random.Generator) -> Scene:
    """Return a scene in which the objects cover some of the frame but not all."""
    while True:
        scene = _BUILDERS[kind](shape, rng)
        if 0.008 < np.count_nonzero(scene.mask) / scene.mask.size < 0.97:
            return scene


def _pixel_size(kind: str, shape: tuple[int, int], rng: np.random.Generator) -> PixelSize:
    """Return a pixel size from the range in which such specimens are looked at."""
    field_nm = log_uniform(rng, *_FIELD_NM[kind])
    nm = float(f"{field_nm / shape[1]:.3g}")
    return PixelSize(nm, "nm") if nm < 100 else PixelSize(float(f"{nm / 1000:.3g}"), "µm")


def _quantise(image: Floats, depth: str) -> NDArray[Any]:
    """Return the picture as integers of the wanted depth."""
    top, dtype = _LEVELS[depth]
    return (image * np.float32(top) + np.float32(0.5)).astype(dtype)
