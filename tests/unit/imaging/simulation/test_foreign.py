import numpy as np
import pytest

from core.imaging.simulation.foreign import FOREIGN, simulate_foreign


@pytest.mark.parametrize("kind", FOREIGN)
def test_every_kind_is_a_picture_with_contrast_and_repeats(kind: str) -> None:
    first, again, other = (simulate_foreign(kind, seed, (96, 128)) for seed in (1, 1, 2))
    assert first.shape == (96, 128)
    assert first.pixels.dtype == np.uint8
    assert first.pixels.std() > 8
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert (first.pixels != other.pixels).any()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind must be one of"):
        simulate_foreign("unicorns")
