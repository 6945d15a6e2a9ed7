"""Simulated micrographs: reproducible, varied, with a truth that can be used."""

import numpy as np
import pytest

from core.imaging.simulation.samples import KINDS, Simulation, simulate

SMALL = (96, 96)


def test_there_are_five_kinds_in_the_order_of_the_classes():
    assert KINDS == ("alloys", "dendrites", "polyhedra", "rods_fibres", "spheroids")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bytes(kind):
    first, second = (simulate(kind, SMALL, 7, annotations=True) for _ in range(2))
    assert first.micrograph.sha256 == second.micrograph.sha256
    assert np.array_equal(first.micrograph.pixels, second.micrograph.pixels)
    assert np.array_equal(first.mask, second.mask)
    assert first.micrograph.pixel_size == second.micrograph.pixel_size


@pytest.mark.parametrize("kind", KINDS)
def test_different_seeds_give_different_pictures(kind):
    digests = {simulate(kind, SMALL, seed).micrograph.sha256 for seed in range(8)}
    assert len(digests) == 8


def test_the_state_of_global_random_generators_does_not_matter():
    np.random.seed(1)  # noqa: NPY002
    first = simulate("alloys", SMALL, 3)
    np.random.seed(2)  # noqa: NPY002
    assert first.micrograph.sha256 == simulate("alloys", SMALL, 3).micrograph.sha256


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_is_neither_empty_nor_full(kind):
    shares = [simulate(kind, SMALL, seed).mask.mean() for seed in range(40)]
    assert min(shares) > 0
    assert max(shares) < 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(101, 67), (33, 160), (16, 16)])
def test_every_shape_comes_out_as_asked(kind, shape):
    simulation = simulate(kind, shape, 5)
    assert simulation.micrograph.shape == simulation.mask.shape == shape
    assert simulation.mask.dtype == np.bool_
    assert simulation.overlays.shape == shape


@pytest.mark.parametrize("kind", KINDS)
def test_samples_carry_a_scale_and_say_that_they_are_simulated(kind):
    micrograph = simulate(kind, SMALL, 2).micrograph
    assert micrograph.pixel_size is not None
    assert micrograph.pixel_size.to("nm") > 0
    assert micrograph.metadata["simulated"] is True
    assert micrograph.metadata["instrument"].startswith("simulated ")
    assert micrograph.name == f"simulated {kind.replace('_', ' and ')} 2"


def test_eight_bits_are_the_default_and_use_a_visible_range():
    pixels = simulate("spheroids", (192, 192), 4).micrograph.pixels
    assert pixels.dtype == np.uint8
    assert np.ptp(pixels) > 20


@pytest.mark.parametrize("kind", KINDS)
def test_sixteen_bits_show_the_same_content_in_more_levels(kind):
    deep, plain = (simulate(kind, SMALL, 11, depth=depth) for depth in ("16-bit", "8-bit"))
    assert deep.micrograph.pixels.dtype == np.uint16
    assert np.abs(deep.micrograph.pixels / 257 - plain.micrograph.pixels).max() < 0.51
    assert np.unique(deep.micrograph.pixels).size > np.unique(plain.micrograph.pixels).size
    assert np.array_equal(deep.mask, plain.mask)


def test_labels_are_off_by_default_and_reported_when_drawn():
    assert not simulate("alloys", SMALL, 1).overlays.any()
    drawn = [simulate("alloys", SMALL, seed, annotations=True).overlays for seed in range(30)]
    assert 0 < sum(overlay.any() for overlay in drawn) < 30


def test_drawing_labels_leaves_the_truth_and_the_rest_of_the_picture_alone():
    for seed in range(10):
        plain, labelled = (
            simulate("polyhedra", SMALL, seed, annotations=on) for on in (False, True)
        )
        free = ~labelled.overlays
        assert np.array_equal(plain.mask, labelled.mask)
        assert np.array_equal(plain.micrograph.pixels[free], labelled.micrograph.pixels[free])


def test_an_unknown_kind_is_refused_with_the_names_of_the_kinds():
    with pytest.raises(ValueError, match="alloys, dendrites, polyhedra, rods_fibres, spheroids"):
        simulate("rods")


def test_an_unknown_depth_is_refused():
    with pytest.raises(ValueError, match="8-bit, 16-bit"):
        simulate("alloys", depth="12-bit")


@pytest.mark.parametrize("shape", [(15, 64), (64, 0), (64,)])
def test_a_frame_that_is_too_small_is_refused(shape):
    with pytest.raises(ValueError, match="at least 16 px"):
        simulate("alloys", shape)


def test_a_truth_of_another_shape_is_refused():
    good = simulate("alloys", SMALL)
    with pytest.raises(ValueError, match="mask must be bool"):
        Simulation(good.micrograph, good.mask[:-1], good.kind, good.overlays, good.instances)


@pytest.mark.parametrize("kind", KINDS)
def test_severity_changes_the_picture_and_not_the_specimen(kind):
    good, bad = (simulate(kind, SMALL, 6, severity=severity) for severity in (0.0, 1.0))
    assert np.array_equal(good.mask, bad.mask)
    assert good.micrograph.sha256 != bad.micrograph.sha256


@pytest.mark.parametrize("severity", [-0.1, 1.1, float("nan")])
def test_a_severity_outside_its_range_is_refused(severity):
    with pytest.raises(ValueError, match="between 0 and 1"):
        simulate("alloys", SMALL, severity=severity)


def test_samples_show_their_objects_against_the_rest():
    for kind in KINDS:
        gaps = []
        for seed in range(12):
            simulation = simulate(kind, (128, 128), seed)
            pixels = simulation.micrograph.pixels.astype(float)
            inside, outside = pixels[simulation.mask], pixels[~simulation.mask]
            gaps.append(abs(inside.mean() - outside.mean()) / pixels.std())
        assert np.median(gaps) > 0.5, kind
