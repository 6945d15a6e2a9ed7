"""A second reading of a micrograph, and how wrong a quantity is read, in words."""

import cv2
import numpy as np
import pytest

from core.measuring.regions import label_regions
from core.measuring.twins import judge, tell_error
from core.measuring.twins.careful import read_carefully
from core.measuring.twins.look import learn_look
from core.micrograph import Micrograph
from tests.unit.measuring.twins.test_twins import discs


def read(pixels, found):
    counted = np.ones(pixels.shape, bool)
    look = learn_look(pixels, label_regions(found), counted)
    return read_carefully(pixels.astype(np.float32), look, counted)


def pairs(overlap_px, side=192, pitch=48, radius=8):
    """Return discs in pairs that overlap, blurred."""
    pixels = np.full((side, side), 60, np.float32)
    for row in range(pitch // 2, side, pitch):
        for col in range(pitch // 2, side, pitch):
            for by in (-1, 1):
                centre = col + round(by * (radius - overlap_px / 2)), row
                cv2.circle(pixels, centre, radius, 160.0, -1)
    blurred = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    noise = np.random.default_rng(1).normal(0, 3, pixels.shape)
    return np.clip(blurred + noise, 0, 255).astype(np.uint8)


def test_noise_that_a_threshold_takes_for_specks_is_read_as_ground():
    micrograph, mask = discs(noise=30.0)
    found = micrograph.pixels > 105
    assert label_regions(found).max() > 300
    careful = read(micrograph.pixels, found)
    assert careful.max() == 25
    assert (careful > 0).mean() == pytest.approx(mask.mean(), rel=0.1)


def test_shading_moves_the_level_between_ground_and_objects():
    micrograph, mask = discs()
    shade = np.linspace(-35, 35, mask.shape[1])[None]
    pixels = np.clip(micrograph.pixels + shade, 0, 255).astype(np.uint8)
    assert label_regions(pixels > 85).max() != 25
    assert read(pixels, mask).max() == 25


def test_particles_that_overlap_are_told_apart_by_the_neck_between_them():
    pixels = pairs(overlap_px=4)
    assert label_regions(pixels > 110).max() == 16
    assert read(pixels, pixels > 110).max() == 32


def rings(inside, side=160, pitch=40):
    """Return discs that are brighter at their edges, and the discs."""
    shape = np.zeros((side, side), np.uint8)
    pixels = np.full((side, side), 40, np.float32)
    for row in range(pitch // 2, side, pitch):
        for col in range(pitch // 2, side, pitch):
            cv2.circle(shape, (col, row), 12, 1, -1)
            cv2.circle(pixels, (col, row), 12, 200.0, -1)
            cv2.circle(pixels, (col, row), 8, float(inside), -1)
    noise = np.random.default_rng(2).normal(0, 3, pixels.shape)
    blurred = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    return np.clip(blurred + noise, 0, 255).astype(np.uint8), shape > 0


@pytest.mark.parametrize("inside", [90, 40])
def test_the_dim_middle_of_a_particle_is_no_gap(inside):
    pixels, discs_ = rings(inside)
    careful = read(pixels, pixels > 120)
    assert careful.max() == 16
    assert (careful > 0).mean() == pytest.approx(discs_.mean(), rel=0.06)


def test_a_gap_between_particles_stays_ground():
    ring = np.zeros((120, 120), np.float32)
    for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False):  # a wreath of discs around a gap
        centre = 60 + 34 * np.cos(angle), 60 + 34 * np.sin(angle)
        cv2.circle(ring, tuple(int(each) for each in centre), 14, 1.0, -1)
    pixels = (40 + 150 * cv2.GaussianBlur(ring, (0, 0), 1.0)).astype(np.uint8)
    assert read(pixels, ring > 0)[60, 60] == 0


def test_an_even_picture_holds_nothing():
    pixels = np.full((64, 64), 90, np.uint8)
    found = np.zeros((64, 64), bool)
    found[20:30, 20:30] = True
    assert not read(pixels, found).any()


def test_clumps_that_are_taken_for_one_are_found_out():
    pixels = pairs(overlap_px=4)
    nothing = np.zeros(pixels.shape, bool)
    measure = lambda m: label_regions(m.pixels > 110)  # noqa: E731
    said = judge(Micrograph("pairs", pixels), measure, count=4, exclude=nothing)
    assert said.refusal is None
    assert said.measured.count == 16
    assert said.corrected.count == pytest.approx(32, abs=6)
    assert said.low.count <= 32 <= said.high.count
    error, low, high = (each.count for each in said.error_limits)
    assert low <= error <= high
    assert error == pytest.approx(16 / said.corrected.count - 1)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ((-0.08, -0.15, -0.02), "the count is read 8 % too low (−15 to −2 %)"),
        ((1.5, 0.5, 2.5), "the count is read 150 % too high (+50 to +250 %)"),
        ((0.01, -0.02, 0.04), "the count is right within 4 %"),
        ((0.0, 0.0, 0.0), "the count is right within 0.05 %"),
        ((np.nan,) * 3, "how wrong the count is read is not known"),
        ((0.1, -0.2, 1.5), "the count is uncertain by a factor of 2.5"),
        ((-0.5, -0.7, 0.1), "the count is uncertain by a factor of 3.3"),
        ((-0.5, -0.9, 3.3), "how wrong the count is read is not known"),
        ((2.2, -0.8, 12.1), "how wrong the count is read is not known"),
    ],
)
def test_a_side_is_named_where_the_limits_leave_out_zero(error, said):
    assert tell_error("count", "the count", *error) == said


def test_shares_are_told_in_points():
    assert tell_error("fraction", "the area", 0.02, 0.01, 0.03) == (
        "the area is read 2 points too high (+1 to +3 points)"
    )
