"""Simulated objects have the outlines that geometry gives them."""

import numpy as np
import pytest

from core.imaging.simulation import particles
from core.imaging.simulation.scene import Scene

CENTRE = np.array([50.0, 60.0])


def _scene():
    return Scene.empty((101, 121)), np.random.default_rng(0)


def test_a_sphere_covers_a_disc_and_is_thickest_in_the_middle():
    scene, rng = _scene()
    particles._sphere(scene, CENTRE, 20.0, rng)
    assert scene.mask.sum() == pytest.approx(np.pi * 20**2, rel=0.02)
    assert scene.mass[50, 60] == pytest.approx(40, rel=0.01)


def test_a_shell_is_thinner_in_the_middle_than_a_solid_sphere():
    scene, rng = _scene()
    particles._sphere(scene, CENTRE, 20.0, rng, core=0.5, core_mass=-1.0)
    assert scene.mass[50, 60] == pytest.approx(20, rel=0.01)


@pytest.mark.parametrize("angle", [0.0, 0.4, 2.0])
def test_a_lying_cube_covers_its_square_at_every_angle(angle):
    scene, rng = _scene()
    normals = particles._directions((1, 0, 0))
    particles._convex(scene, CENTRE, 20.0, normals, np.ones(6), angle, rng)
    assert scene.mask.sum() == pytest.approx(40**2, rel=0.06)
    assert scene.mass[50, 60] == pytest.approx(40, rel=0.01)


@pytest.mark.parametrize("ends", ["round", "flat"])
def test_a_rod_covers_its_length_times_its_width(ends):
    scene, rng = _scene()
    particles._rod(scene, CENTRE, 40.0, 5.0, 0.3, (ends, False, 0.0, 0.0), rng)
    assert scene.mask.sum() == pytest.approx(80 * 10, rel=0.06)


def test_a_fibre_across_the_frame_has_its_width():
    scene, rng = _scene()
    path = np.stack([np.linspace(-20, 140, 24), np.full(24, 50.0)], 1)
    particles._fibre(scene, path, 6.0, (False, 0.0), rng)
    assert scene.mask.sum(axis=0) == pytest.approx(np.full(121, 12), abs=1.1)


def test_cubic_families_have_6_8_and_12_faces():
    families = ((1, 0, 0), (1, 1, 1), (1, 1, 0))
    assert [len(particles._directions(family)) for family in families] == [6, 8, 12]
