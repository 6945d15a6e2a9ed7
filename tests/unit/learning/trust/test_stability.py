"""Small shifts and noise."""

import cv2
import numpy as np
import pytest

from core.learning.models.preparation import CentreCrop, Preparation
from core.learning.trust.stability import Nudge, measure_stability
from core.micrograph import Micrograph

PIXELS = np.random.default_rng(0).integers(0, 255, (64, 96)).astype(np.uint8)
MICROGRAPH = Micrograph("noise", PIXELS)
SHIFT = Nudge(4, -8)


def grey(micrograph: Micrograph, mask: object) -> np.ndarray:
    """A map that is the micrograph itself."""
    return micrograph.pixels.astype(np.float32)


def test_a_map_that_moves_along_is_stable() -> None:
    found = measure_stability(MICROGRAPH, None, grey(MICROGRAPH, None), grey, [SHIFT], (64, 96), 0)
    assert found.spearman[0] == pytest.approx(1, abs=1e-6)
    assert found.is_stable


def test_a_map_that_stays_behind_is_not() -> None:
    still = grey(MICROGRAPH, None)
    found = measure_stability(MICROGRAPH, None, still, lambda m, x: still, [SHIFT], (64, 96), 0)
    assert abs(found.worst) < 0.2
    assert not found.is_stable


def test_the_mask_moves_with_the_micrograph() -> None:
    mask = PIXELS > 200
    seen = []

    def look(moved: Micrograph, hidden: np.ndarray) -> np.ndarray:
        seen.append((moved.pixels > 200) == hidden)
        return np.eye(4)

    measure_stability(MICROGRAPH, mask, np.eye(4), look, [SHIFT, Nudge(0, 3)], (64, 96), 0)
    assert all(same.all() for same in seen)


def test_noise_is_a_share_of_the_own_contrast_and_repeats() -> None:
    seen = []

    def look(moved: Micrograph, hidden: object) -> np.ndarray:
        seen.append(moved.pixels.astype(float) - PIXELS)
        return np.eye(4)

    for _ in range(2):
        measure_stability(MICROGRAPH, None, np.eye(4), look, [Nudge(noise_sd=0.1)], (64, 96), 5)
    assert seen[0].std() == pytest.approx(0.1 * PIXELS.std(), rel=0.05)
    np.testing.assert_array_equal(seen[0], seen[1])


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (5, 5)])
def test_tiny_flat_and_unknown_pixels_survive(shape: tuple[int, int]) -> None:
    for value in (7.0, np.nan):
        flat = Micrograph("flat", np.full(shape, value, np.float32))
        found = measure_stability(
            flat, None, np.eye(4), lambda m, x: np.eye(4), [SHIFT, Nudge(noise_sd=0.1)], (32, 32), 0
        )
        assert np.isfinite(found.spearman).all()


def test_words() -> None:
    assert Nudge(4, -8).describe() == "4 px down, 8 px left"
    assert Nudge(noise_sd=0.1).describe() == "noise of 10 %"
    assert Nudge().describe() == "no change"


@pytest.mark.parametrize("nudge", [Nudge(8, 0), Nudge(0, 8), Nudge(-4, 4)])
@pytest.mark.parametrize("preparation", [CentreCrop(), Preparation()])
def test_the_input_moves_by_what_the_nudge_says(
    nudge: Nudge, preparation: CentreCrop | Preparation
) -> None:
    """768 × 1024 through the centre crop: 8 px were 12.8 px to the right and 9.7 px down."""
    pixels = np.random.default_rng(2).normal(128, 40, (768, 1024)).astype(np.float32)
    frame = Micrograph("large", cv2.GaussianBlur(pixels, (0, 0), 9))
    inputs = []

    def look(moved: Micrograph, hidden: object) -> np.ndarray:
        inputs.append(preparation(moved))
        return np.eye(4)

    top, left, bottom, right = preparation.seen_box(frame.shape)
    size_hw = preparation.size_hw(frame.shape)
    measure_stability(
        frame, None, np.eye(4), look, [nudge], size_hw, 0, seen_hw=(bottom - top, right - left)
    )
    before = preparation(frame)
    likeness = cv2.matchTemplate(inputs[0], before[40:-40, 40:-40], cv2.TM_CCOEFF_NORMED)
    found = np.subtract(np.unravel_index(likeness.argmax(), likeness.shape), 40)
    assert found.tolist() == [nudge.down_px, nudge.right_px]
