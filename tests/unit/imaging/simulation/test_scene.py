"""Scenes hide and add up as they should; random fields have the statistics they promise."""

import numpy as np
import pytest

from core.imaging.simulation.camera import form_image
from core.imaging.simulation.labels import annotate
from core.imaging.simulation.scene import Scene, cells, distort, smooth_noise
from core.imaging.simulation.signal import shade

EVERYWHERE = (slice(None), slice(None))


def _sheet(value):
    return np.full((8, 8), value, np.float32)


def test_the_higher_object_hides_the_lower_and_masses_add_up():
    scene = Scene.empty((8, 8))
    scene.add(EVERYWHERE, _sheet(5), _sheet(2), 0.5)
    scene.add(EVERYWHERE, _sheet(3), _sheet(4), -0.5)
    assert np.all(scene.top == 5)
    assert np.all(scene.tone == 0.5)
    assert np.all(scene.mass == 6)


def test_an_object_is_where_it_has_thickness():
    scene = Scene.empty((8, 8))
    thickness = _sheet(0)
    thickness[2:4, 2:4] = 1
    scene.add(EVERYWHERE, _sheet(1), thickness, 0.0)
    assert scene.mask.sum() == 4
    assert scene.top.sum() == 4


@pytest.mark.parametrize("scale_px", [1, 3, 10, 40])
def test_smooth_noise_has_zero_mean_and_about_unit_variance(scale_px):
    rng = np.random.default_rng(0)
    fields = np.stack([smooth_noise(rng, (128, 160), scale_px) for _ in range(20)])
    assert fields.shape == (20, 128, 160)
    assert fields.dtype == np.float32
    assert abs(fields.mean()) < 0.2
    assert 0.6 < fields.std() < 1.4


def test_every_pixel_belongs_to_its_nearest_seed():
    distance, numbers = cells(np.random.default_rng(1), (60, 80), 12)
    seeds = np.argwhere(distance == 0)
    pixels = np.argwhere(np.ones_like(distance, bool)).reshape(60, 80, 1, 2)
    exact = np.hypot(*np.moveaxis(pixels - seeds, -1, 0)).min(-1)
    assert np.abs(distance - exact).max() < 0.05 * exact.max() + 0.2
    assert numbers.min() == 1
    assert numbers.max() == len(seeds)


def test_distortion_moves_truth_and_surface_together():
    scene = Scene.empty((64, 64))
    scene.top[20:40, 20:40] = 1
    scene.mask[20:40, 20:40] = True
    for seed in range(6):
        moved = distort(scene, np.random.default_rng(seed), 2.0)
        assert np.mean((moved.top > 0.5) == moved.mask) > 0.99


@pytest.mark.parametrize("severity", [0.0, 1.0])
def test_the_recorded_picture_stays_in_range(severity):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scene = Scene.empty((40, 50))
        scene.add((slice(5, 13), slice(9, 17)), _sheet(4), _sheet(4), 0.0)
        signal, instrument = shade(scene, rng, severity)
        image = form_image(signal, rng, severity)
        assert instrument in {"simulated SEM", "simulated TEM", "simulated STEM"}
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() <= 1


def test_labels_are_reported_where_they_are_drawn():
    plain = np.full((128, 128), 0.5, np.float32)
    for seed in range(20):
        image, written = annotate(plain, np.random.default_rng(seed))
        assert np.array_equal(image != plain, written)
