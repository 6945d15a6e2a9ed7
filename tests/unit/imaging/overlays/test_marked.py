"""A bar that was read is left out, though the search for what was painted missed it."""

import numpy as np
import pytest

from core.imaging.overlays import (
    OverlayChoice,
    find_overlays,
    leave_out_bar,
    overlay_choice,
    with_overlay_choice,
)
from core.micrograph import Micrograph

BAR = (100, 40, 140)


@pytest.fixture
def missed() -> Micrograph:
    """A grey bar with ticks, too much like the specimen to be taken for paint."""
    pixels = np.random.default_rng(0).normal(110, 12, (160, 200)).clip(0, 255).astype(np.uint8)
    pixels[98:103, 40:140] = 190
    pixels[94:107, 40:43] = pixels[94:107, 137:140] = 190
    return Micrograph("a", pixels)


def test_a_bar_that_was_missed_is_left_out_with_its_ticks(missed):
    assert not find_overlays(missed).any()
    marked = leave_out_bar(missed, BAR)
    left_out = find_overlays(marked)
    assert left_out[missed.pixels >= 185].mean() > 0.99
    assert left_out.sum() < 2 * 13 * 100
    assert marked.key != missed.key
    assert leave_out_bar(marked, BAR) is marked


def test_a_bar_that_was_found_changes_nothing(missed):
    pixels = missed.pixels.copy()
    pixels[98:103, 40:140] = 255
    pixels[10:14, 10:20] = 255
    found = Micrograph("b", pixels)
    if find_overlays(found)[100, 40:140].all():
        assert leave_out_bar(found, BAR) is found


def test_a_persons_correction_comes_first_and_is_kept(missed):
    marked = with_overlay_choice(leave_out_bar(missed, BAR), OverlayChoice(lettering=False))
    assert not find_overlays(marked).any()
    both = leave_out_bar(with_overlay_choice(missed, OverlayChoice(bottom_rows=20)), BAR)
    assert overlay_choice(both) == OverlayChoice(bottom_rows=20, bars=(BAR,))
    assert find_overlays(both)[-20:].all()


@pytest.mark.parametrize("bar", [(-1, 0, 5), (400, 0, 5), (100, 190, 400), (0, 0, 200), (5, 7, 7)])
def test_ends_outside_of_the_frame_do_no_harm(missed, bar):
    assert find_overlays(leave_out_bar(missed, bar)).shape == missed.shape
