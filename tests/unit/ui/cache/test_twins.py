"""Which part of a micrograph is imitated on a page."""

import numpy as np
import pytest

from core.imaging.filtering import Pipeline, Step
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.cache.twins import _imitated

RNG = np.random.default_rng(3)
DOTS = np.kron(RNG.random((100, 100)) < 0.1, np.ones((8, 8)))
MICROGRAPH = Micrograph("dots", (60 + 120 * DOTS).astype(np.uint8))
OTHER = Micrograph("other", (20 + 100 * DOTS).astype(np.uint8))
OTSU = Step("otsu")


@pytest.mark.parametrize(
    ("steps", "shape"),
    [
        ((OTSU,), (512, 512)),
        ((Step("match_histogram", {"other": OTHER.sha256}), OTSU), (800, 800)),
    ],
)
def test_the_middle_is_imitated_unless_the_way_needs_another_micrograph(steps, shape):
    """All loaded micrographs are at hand; that took whole frames, of minutes for large ones."""
    choice = cache.SegmentChoice(chain=Pipeline(steps).to_json(), exclude=False)
    asked = cache.Objects(choice, 1, cache.RegionChoice())
    others = {each.sha256: each for each in (MICROGRAPH, OTHER)}
    part, exclude = _imitated(MICROGRAPH, asked, cache.Given(others=others))
    assert part.shape == exclude.shape == shape
