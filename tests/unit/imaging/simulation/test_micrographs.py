"""Samples for people: an info bar that is found, a scale that is right, noise that is counted."""

import numpy as np
import pytest

from core.imaging.overlays import find_overlays
from core.imaging.scale import find_scale_bar
from core.imaging.simulation import KINDS, sample_micrograph
from core.imaging.simulation.info_bar import bar_height, scale_bar

EVERY = [(kind, seed) for kind in KINDS for seed in range(2)]


@pytest.fixture(scope="module")
def made():
    return {each: sample_micrograph(*each) for each in EVERY}


def test_the_same_arguments_give_the_same_bytes(made):
    again = sample_micrograph("rods_fibres", 1)
    assert again.micrograph.sha256 == made["rods_fibres", 1].micrograph.sha256
    assert len({each.micrograph.sha256 for each in made.values()}) == len(EVERY)


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_that_it_is_simulated(made, kind):
    micrograph = made[kind, 0].micrograph
    assert micrograph.name.startswith("simulated ")
    assert micrograph.metadata["simulated"] is True


@pytest.mark.parametrize("each", EVERY)
def test_the_info_bar_is_found_and_nothing_else_is(made, each):
    simulation = made[each]
    found = find_overlays(simulation.micrograph)
    both = np.count_nonzero(found & simulation.overlays)
    either = np.count_nonzero(found | simulation.overlays)
    assert both / either > 0.95


@pytest.mark.parametrize("each", EVERY)
def test_the_scale_bar_is_as_long_as_it_says(made, each):
    micrograph = made[each].micrograph
    found = find_scale_bar(micrograph)
    assert found is not None
    wanted, _ = scale_bar(micrograph.pixel_size, micrograph.shape[1])
    assert abs(found.right - found.left - wanted) <= 1


@pytest.mark.parametrize("each", EVERY)
def test_the_truth_leaves_out_the_info_bar(made, each):
    simulation = made[each]
    rows = simulation.mask.shape[0] - bar_height(simulation.mask.shape[0])
    assert not simulation.mask[rows:].any()
    assert 0.03 < simulation.mask[:rows].mean() < 0.9
    assert (simulation.instances > 0).sum() == simulation.mask.sum()
    assert len(np.unique(simulation.instances)) == simulation.instances.max() + 1


def test_noise_grows_with_the_signal(made):
    """Counted electrons: in a TEM picture film and particles differ in both."""
    simulation = made["spheroids", 1]
    pixels = simulation.micrograph.pixels.astype(float)
    rows = pixels.shape[0] - bar_height(pixels.shape[0])
    steps = np.diff(pixels[:rows], axis=0)
    inside = simulation.mask[: rows - 1] & simulation.mask[1:rows]
    outside = ~(simulation.mask[: rows - 1] | simulation.mask[1:rows])
    dark, bright = np.median(np.abs(steps[inside])), np.median(np.abs(steps[outside]))
    assert bright > 1.2 * dark


def test_a_long_anneal_leaves_larger_carbides(made):
    short, long = (np.bincount(made["alloys", seed].instances.ravel())[1:] for seed in (0, 1))
    assert np.median(long) > 1.4 * np.median(short)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(16, 16), (40, 200)])
def test_any_shape_will_do(kind, shape):
    assert sample_micrograph(kind, 1, shape).micrograph.shape == shape


@pytest.mark.parametrize(("kind", "shape"), [("stones", (64, 64)), ("alloys", (8, 64))])
def test_unknown_kinds_and_tiny_frames_are_refused(kind, shape):
    with pytest.raises(ValueError, match="must be"):
        sample_micrograph(kind, 0, shape)
