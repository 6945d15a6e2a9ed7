"""Simulated pictures of what no morphology classifier learnt: what novelty must notice.

Textures, noise, printed pages, photographs and other kinds of microscopy. Every one is drawn from
a seed, so that training, tests and benchmarks speak of the same pictures.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from core.micrograph import Micrograph

Floats = NDArray[np.float64]
Rng = np.random.Generator


def simulate_foreign(kind: str, seed: int = 0, shape: tuple[int, int] = (384, 512)) -> Micrograph:
    """Return one picture that is no micrograph of a known morphology.

    Parameters
    ----------
    kind : str
        One of `FOREIGN`.
    seed : int
        Another seed gives another picture of the kind.
    shape : tuple of int
        Height and width in px.

    Returns
    -------
    Micrograph
        8-bit, without pixel size.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in FOREIGN:
        raise ValueError(f"kind must be one of {', '.join(FOREIGN)}, got {kind!r}")
    rng = np.random.default_rng([list(FOREIGN).index(kind), seed])
    image = FOREIGN[kind](shape, rng)
    low, high = np.percentile(image, [0.2, 99.8])
    image = np.clip((image - low) / max(high - low, 1e-9), 0, 1)
    return Micrograph(f"{kind} {seed}", (255 * image).astype(np.uint8))


def _grid(shape: tuple[int, int]) -> tuple[Floats, Floats]:
    rows, cols = np.mgrid[: shape[0], : shape[1]].astype(float)
    return rows, cols


def _blur(image: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), float)


def _turned(shape: tuple[int, int], angle: float) -> tuple[Floats, Floats]:
    rows, cols = _grid(shape)
    return (
        rows * np.cos(angle) - cols * np.sin(angle),
        rows * np.sin(angle) + cols * np.cos(angle),
    )


def _power_noise(shape: tuple[int, int], exponent: float, rng: Rng) -> Floats:
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(rng.normal(size=shape)) * frequency ** (-exponent / 2)
    field = np.fft.irfft2(spectrum, shape)
    return np.asarray(field / field.std())


def _noise(shape: tuple[int, int], rng: Rng) -> Floats:
    """White noise, or noise with the power spectrum of nothing in particular."""
    return _power_noise(shape, float(rng.choice([0.0, 0.5, 1.0, 2.0])), rng)


def _gradient(shape: tuple[int, int], rng: Rng) -> Floats:
    """A ramp, or a bright spot that fades."""
    u, v = _turned(shape, rng.uniform(0, np.pi))
    image = u if rng.random() < 0.5 else -np.hypot(u - u.mean(), v - v.mean())
    return image + rng.uniform(0, 0.03) * np.ptp(image) * rng.normal(size=shape)


def _stripes(shape: tuple[int, int], rng: Rng) -> Floats:
    """Stripes or a chessboard."""
    u, v = _turned(shape, rng.uniform(0, np.pi))
    period = rng.uniform(16, 60)
    image = np.sign(np.sin(2 * np.pi * u / period))
    if rng.random() < 0.5:
        image = image * np.sign(np.sin(2 * np.pi * v / period))
    return _blur(image, 0.8) + 0.1 * rng.normal(size=shape)


def _text_page(shape: tuple[int, int], rng: Rng) -> Floats:
    """A printed page."""
    page = np.full(shape, 240, np.uint8)
    size = rng.uniform(0.35, 0.6)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz    "))
    for row in np.arange(20, shape[0], 34 * size):
        line = "".join(rng.choice(letters, int(shape[1] / (18 * size))))
        cv2.putText(page, line, (12, int(row)), cv2.FONT_HERSHEY_SIMPLEX, size, 20, 1, cv2.LINE_AA)
    return page + 3 * rng.normal(size=shape)


def _chart(shape: tuple[int, int], rng: Rng) -> Floats:
    """A line plot with axes."""
    page = np.full(shape, 255, np.uint8)
    x = np.linspace(40, shape[1] - 10, 200)
    for _ in range(rng.integers(1, 4)):
        curve = np.cumsum(rng.normal(size=200)) * 6
        y = np.clip(shape[0] / 2 + curve, 10, shape[0] - 40)
        points = np.stack([x, y], 1).astype(np.int32)
        cv2.polylines(page, [points], False, float(rng.uniform(0, 150)), 2, cv2.LINE_AA)
    cv2.line(page, (40, 10), (40, shape[0] - 40), 0.0, 2)
    cv2.line(page, (40, shape[0] - 40), (shape[1] - 10, shape[0] - 40), 0.0, 2)
    for col in range(60, shape[1] - 20, 60):
        cv2.putText(page, str(col), (col, shape[0] - 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0.0, 1)
    return page.astype(float)


def _landscape(shape: tuple[int, int], rng: Rng) -> Floats:
    """A photograph: sky, layered hills, a foreground of grass."""
    rows, _ = _grid(shape)
    image = 0.9 - 0.25 * rows / shape[0] + 0.06 * _power_noise(shape, 3.0, rng)
    for layer in range(4):
        ridge = np.cumsum(rng.normal(size=shape[1]))
        ridge = shape[0] * (0.35 + 0.15 * layer) + 0.5 * _blur(ridge[None], 6)[0]
        below = rows > ridge[None]
        texture = _power_noise(shape, 1.6, rng)
        image[below] = (0.6 - 0.13 * layer + 0.05 * texture)[below]
    return image + 0.01 * rng.normal(size=shape)


def _room(shape: tuple[int, int], rng: Rng) -> Floats:
    """A photograph: shaded walls, furniture, windows and their shadows."""
    rows, cols = _grid(shape)
    image = 0.7 + 0.2 * cols / shape[1] - 0.2 * rows / shape[0]
    for _ in range(rng.integers(6, 14)):
        corners = rng.uniform(0, 1, 2) * (shape[1], shape[0])
        sides = rng.uniform(0.06, 0.4, 2) * (shape[1], shape[0])
        quad = np.array([[0, 0], [1, rng.uniform(-0.2, 0.2)], [1, 1], [0, 1.0]]) * sides + corners
        mask = np.zeros(shape, np.uint8)
        cv2.fillPoly(mask, [quad.astype(np.int32)], 1, cv2.LINE_AA)
        shade = rng.uniform(0.1, 0.9) + 0.2 * (rows - rows.mean()) / shape[0] * rng.normal()
        image = np.where(mask > 0, shade, image)
    return _blur(image, 1.0) + 0.012 * rng.normal(size=shape)


def _portrait(shape: tuple[int, int], rng: Rng) -> Floats:
    """A photograph: a head and shoulders before a blurred background."""
    image = 0.5 + 0.1 * _power_noise(shape, 3.5, rng)
    rows, cols = _grid(shape)
    middle = shape[1] * rng.uniform(0.35, 0.65)
    size = shape[0] * rng.uniform(0.18, 0.26)
    top = shape[0] * 0.42
    body = ((rows - shape[0] * 1.05) / (1.6 * size)) ** 2 + ((cols - middle) / (2 * size)) ** 2 < 1
    head = ((rows - top) / (1.3 * size)) ** 2 + ((cols - middle) / size) ** 2
    image = np.where(body, rng.uniform(0.1, 0.4), image)
    light = 0.75 + 0.15 * (cols - middle) / size - 0.15 * head
    image = np.where(head < 1, light, image)
    image = np.where((head < 1.15) & (rows < top - 0.5 * size), rng.uniform(0.05, 0.4), image)
    for side in (-0.4, 0.4):
        eye = (rows - top) ** 2 + ((cols - middle - side * size) / 1.6) ** 2 < (0.09 * size) ** 2
        image = np.where(eye, 0.1, image)
    mouth = ((rows - top - 0.6 * size) * 4) ** 2 + (cols - middle) ** 2 < (0.3 * size) ** 2
    image = np.where(mouth, 0.3, image)
    return _blur(image, 1.2) + 0.012 * rng.normal(size=shape)


def _bricks(shape: tuple[int, int], rng: Rng) -> Floats:
    """A photograph: a brick wall."""
    rows, cols = _grid(shape)
    high, wide = rng.uniform(22, 40), rng.uniform(60, 110)
    course = np.floor(rows / high)
    along = cols + 0.5 * wide * (course % 2)
    shades = rng.uniform(0.35, 0.6, (64, 64))
    image = shades[course.astype(int) % 64, np.floor(along / wide).astype(int) % 64]
    image = image + 0.06 * _power_noise(shape, 1.2, rng)
    joint = (rows % high < 4) | (along % wide < 4)
    return _blur(np.where(joint, 0.8, image), 0.9)


def _wood(shape: tuple[int, int], rng: Rng) -> Floats:
    """A photograph: wood grain."""
    u, v = _turned(shape, rng.uniform(-0.2, 0.2))
    bend = _power_noise(shape, 4.0, rng)
    rings = np.sin(u / rng.uniform(3, 7) + 3 * bend + 0.002 * v)
    return rings + 0.3 * rng.normal(size=shape)


def _fluorescence(shape: tuple[int, int], rng: Rng) -> Floats:
    """Light microscopy: cells with glowing nuclei and filaments on black."""
    image = np.zeros(shape)
    rows, cols = _grid(shape)
    for _ in range(rng.integers(4, 14)):
        y, x = rng.uniform(0, 1, 2) * shape
        angle, long = rng.uniform(0, np.pi), rng.uniform(20, 45)
        a = (rows - y) * np.cos(angle) - (cols - x) * np.sin(angle)
        b = (rows - y) * np.sin(angle) + (cols - x) * np.cos(angle)
        reach = (a / long) ** 2 + (b / (0.7 * long)) ** 2
        nucleus = 0.8 / (1 + np.exp(np.minimum(30 * (reach / 0.2 - 1), 50)))
        image += 0.25 * np.exp(-0.5 * reach) + nucleus
        for _ in range(12):
            turn = rng.uniform(0, 2 * np.pi)
            bow = np.cumsum(rng.normal(turn, 0.25, 40)) / np.arange(1, 41)
            along = np.cumsum(np.stack([np.cos(bow), np.sin(bow)], 1) * long / 14, 0)
            path = along + np.array([x, y])
            cv2.polylines(image, [path.astype(np.int32)], False, 0.45, 1, cv2.LINE_AA)
    photons = _blur(np.clip(image, 0, None), 1.5) * 60
    return np.sqrt(rng.poisson(photons + 1.0))


def _tissue(shape: tuple[int, int], rng: Rng) -> Floats:
    """Light microscopy: a stained section, many dark nuclei in a mottled pink."""
    image = 0.75 + 0.08 * _power_noise(shape, 2.0, rng)
    for _ in range(rng.integers(150, 400)):
        centre = tuple(int(v) for v in rng.uniform(0, 1, 2) * (shape[1], shape[0]))
        axes = tuple(int(v) for v in rng.uniform(3, 8, 2))
        cv2.ellipse(image, centre, axes, rng.uniform(0, 180), 0, 360, rng.uniform(0.2, 0.4), -1)
    return _blur(image, 1.3) + 0.01 * rng.normal(size=shape)


def _fibre_lattice(shape: tuple[int, int], rng: Rng) -> Floats:
    """A woven mesh, each thread over and under."""
    u, v = _turned(shape, rng.uniform(0, np.pi / 2))
    pitch = rng.uniform(24, 60)
    warp, weft = np.cos(2 * np.pi * u / pitch), np.cos(2 * np.pi * v / pitch)
    over = np.sign(np.cos(np.pi * u / pitch) * np.cos(np.pi * v / pitch))
    image = np.where(over > 0, np.maximum(warp, 0.6 * weft), np.maximum(weft, 0.6 * warp))
    return np.maximum(image, -0.2) + 0.1 * rng.normal(size=shape)


def _diffraction_rings(shape: tuple[int, int], rng: Rng) -> Floats:
    """A powder diffraction pattern with its beam stop."""
    rows, cols = _grid(shape)
    y, x = (0.5 + rng.uniform(-0.05, 0.05, 2)) * shape
    radius = np.hypot(rows - y, cols - x)
    image = 2 * np.exp(-radius / 40)
    for ring in np.sort(rng.uniform(30, 240, rng.integers(4, 9))):
        image += rng.uniform(0.15, 0.6) * np.exp(-0.5 * ((radius - ring) / 2.0) ** 2)
    image[(np.abs(rows - y) < 6) & (cols < x)] = 0
    return np.asarray(np.sqrt(rng.poisson(60 * image + 2)), float)


def _diffraction_spots(shape: tuple[int, int], rng: Rng) -> Floats:
    """A single-crystal diffraction pattern."""
    rows, cols = _grid(shape)
    spacing, angle = rng.uniform(24, 50), rng.uniform(0, np.pi / 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    image = 1.5 * np.exp(-np.hypot(rows - shape[0] / 2, cols - shape[1] / 2) / 50)
    for h in range(-12, 13):
        for k in range(-12, 13):
            y, x = turn @ (h * spacing, k * spacing) + np.array(shape) / 2
            if -9 < y < shape[0] + 9 and -9 < x < shape[1] + 9:
                top, left = max(0, int(y) - 8), max(0, int(x) - 8)
                part = slice(top, int(y) + 9), slice(left, int(x) + 9)
                fade = np.exp(-0.02 * (h * h + k * k)) * rng.uniform(0.4, 1)
                image[part] += fade * np.exp(
                    -0.5 * ((rows[part] - y) ** 2 + (cols[part] - x) ** 2) / 4
                )
    return np.sqrt(rng.poisson(80 * image + 1))


def _lattice_fringes(shape: tuple[int, int], rng: Rng) -> Floats:
    """High-resolution TEM: crossed lattice fringes in amorphous surroundings."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(5, 12)
    image = _power_noise(shape, 1.0, rng)
    for turn in (0.0, np.pi / 3, np.pi / 2)[: rng.integers(1, 4)]:
        u, _ = _turned(shape, angle + turn)
        image = image + rng.uniform(0.8, 1.6) * np.cos(2 * np.pi * u / period)
    return image


def _grains(shape: tuple[int, int], rng: Rng) -> Floats:
    """An orientation map: flat polygons with thin borders."""
    seeds = rng.uniform(0, 1, (int(rng.integers(25, 120)), 2)) * shape
    rows, cols = _grid(shape)
    nearest = np.argmin(
        (rows[..., None] - seeds[:, 0]) ** 2 + (cols[..., None] - seeds[:, 1]) ** 2, axis=-1
    )
    image = rng.uniform(0, 1, len(seeds))[nearest]
    border = (np.diff(nearest, axis=0, prepend=nearest[:1]) != 0) | (
        np.diff(nearest, axis=1, prepend=nearest[:, :1]) != 0
    )
    return np.where(border, 0.0, image) + 0.02 * rng.normal(size=shape)


FOREIGN: dict[str, Callable[[tuple[int, int], Rng], Floats]] = {
    "noise": _noise,
    "gradient": _gradient,
    "stripes": _stripes,
    "text page": _text_page,
    "chart": _chart,
    "landscape": _landscape,
    "room": _room,
    "portrait": _portrait,
    "bricks": _bricks,
    "wood": _wood,
    "fluorescence": _fluorescence,
    "tissue": _tissue,
    "fibre lattice": _fibre_lattice,
    "diffraction rings": _diffraction_rings,
    "diffraction spots": _diffraction_spots,
    "lattice fringes": _lattice_fringes,
    "grains": _grains,
}
