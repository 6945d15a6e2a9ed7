"""What a picture says of itself, on pictures that libraries ship and on simulated micrographs."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_images

from core.imaging.reading import read_micrograph
from core.imaging.simulation import simulate
from core.learning.classifying.signs import (
    BLANK,
    DIFFRACTION,
    DRAWING,
    HUES,
    NOISE,
    TINY,
    look_for_signs,
)
from core.micrograph import Micrograph

COLOURED = ("astronaut", "cat", "chelsea", "coffee", "colorwheel", "rocket", "retina")


def encoded(pixels: np.ndarray, kind: str = "PNG") -> Micrograph:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return read_micrograph(stream.getvalue(), f"picture.{kind.lower()}")


@pytest.mark.parametrize("name", COLOURED)
def test_colour_photographs_say_so(name: str) -> None:
    assert HUES in look_for_signs(encoded(getattr(skimage.data, name)()))


def test_other_photographs_and_an_element_map_say_so() -> None:
    for photograph in load_sample_images().images:
        assert HUES in look_for_signs(encoded(photograph))
    grey = skimage.data.gravel()
    elements = np.zeros((*grey.shape, 3), np.uint8)
    elements[..., 0], elements[..., 1] = grey, np.rot90(grey)
    assert HUES in look_for_signs(encoded(elements))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_tint_and_coloured_letters_do_not(kind: str) -> None:
    grey = skimage.data.gravel()
    tinted = np.stack([grey, grey * 0.8, grey * 0.6], axis=-1).astype(np.uint8)
    assert not look_for_signs(encoded(tinted, kind))
    lettered = np.stack([grey] * 3, axis=-1)
    lettered[480:500, 20:200], lettered[10:20, 20:200] = (255, 0, 0), (255, 255, 0)
    assert not look_for_signs(encoded(lettered, kind))


def test_a_plot_says_so() -> None:
    plot = Image.new("L", (640, 480), 255)
    ImageDraw.Draw(plot).line([(40 + n, 240 - 90 * np.sin(n / 40)) for n in range(560)], 0, 3)
    assert look_for_signs(encoded(np.asarray(plot))) == (DRAWING,)


def test_noise_blank_and_tiny_say_so() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 300)).astype(np.uint8)
    assert look_for_signs(Micrograph("n", noise)) == (NOISE,)
    assert look_for_signs(Micrograph("b", np.full((300, 300), 7, np.uint8))) == (BLANK,)
    assert look_for_signs(Micrograph("t", noise[:8, :8])) == (TINY,)


def spots(fading: float, shape: tuple[int, int] = (300, 360), turn: float = 0.3) -> np.ndarray:
    """Spots on a turned square lattice that fade with the distance from the middle."""
    rows, cols = np.indices(shape) - np.array(shape)[:, None, None] / 2
    u, v = np.cos(turn) * rows - np.sin(turn) * cols, np.sin(turn) * rows + np.cos(turn) * cols
    lattice = (0.5 + 0.5 * np.cos(2 * np.pi * u / 34)) * (0.5 + 0.5 * np.cos(2 * np.pi * v / 34))
    fade = np.exp(-np.hypot(rows, cols) / fading)
    counts = np.random.default_rng(0).poisson(900 * lattice**24 * fade + 40 * fade + 2)
    return counts.astype(np.uint16)


@pytest.mark.parametrize(("shape", "turn"), [((300, 360), 0.3), ((512, 512), 0.0)])
def test_a_diffraction_pattern_says_so(shape: tuple[int, int], turn: float) -> None:
    assert look_for_signs(Micrograph("d", spots(60, shape, turn))) == (DIFFRACTION,)
    masked = np.zeros(shape, bool)
    masked[-20:] = True
    assert look_for_signs(Micrograph("d", spots(60, shape, turn)), masked) == (DIFFRACTION,)


def test_a_lattice_that_does_not_fade_and_one_particle_do_not() -> None:
    assert not look_for_signs(Micrograph("columns of atoms", spots(1e9)))
    rows, cols = np.indices((300, 360))
    counts = 20 + 400 * (np.hypot(rows - 150, cols - 180) < 60)
    counts = np.random.default_rng(1).poisson(counts).astype(np.uint16)
    assert not look_for_signs(Micrograph("one particle", counts))
    assert not look_for_signs(Micrograph("a strip of it", counts[130:166]))


@pytest.mark.parametrize("kind", ["alloys", "dendrites", "polyhedra", "rods_fibres", "spheroids"])
def test_micrographs_do_not(kind: str) -> None:
    for seed in range(3):
        assert not look_for_signs(simulate(kind, (256, 320), seed).micrograph)


@pytest.mark.parametrize("unit", [1e-40, 1.0, 1e30])
def test_floats_of_any_unit_are_judged_alike(unit: float) -> None:
    noise = np.random.default_rng(0).normal(100, 20, (128, 128))
    blob = 200.0 * (np.hypot(*np.mgrid[-64:64, -64:64]) < 40) + noise
    for picture, is_noise in ((noise, True), (blob, False)):
        signs = look_for_signs(Micrograph("floats", (picture * unit).astype(np.float32)))
        assert (NOISE in signs) == is_noise
