import numpy as np
import pytest

from core.errors import UserError
from core.learning.classifying.classification import classify
from core.learning.classifying.tile_map import UNSEEN, map_tiles
from core.learning.models import Classifier
from core.micrograph import Micrograph, PixelSize


def noise(shape: tuple[int, int]) -> Micrograph:
    pixels = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    return Micrograph("noise", pixels, PixelSize(2, "nm"))


@pytest.mark.parametrize("shape", [(200, 300), (130, 64), (40, 40), (257, 511)])
def test_tiles_cover_the_frame_once(classifier: Classifier, shape: tuple[int, int]) -> None:
    found = map_tiles(classifier, noise(shape), 64)
    assert (found.rows[0], found.rows[-1]) == (0, shape[0])
    assert (found.columns[0], found.columns[-1]) == (0, shape[1])
    label, sure = found.at_pixels()
    assert label.shape == sure.shape == shape
    assert ((sure > 1 / 3) & (sure <= 1)).all()
    assert sum(found.shares.values()) == pytest.approx(1)
    if min(shape) > 64:
        for sides in (np.diff(found.rows), np.diff(found.columns)):
            assert sides.max() - sides.min() <= 1
            assert abs(sides.mean() - 64) < 32


def test_a_tile_is_answered_like_a_micrograph_of_its_own(classifier: Classifier) -> None:
    frame = noise((128, 192))
    found = map_tiles(classifier, frame, 64)
    tile = Micrograph("tile", np.ascontiguousarray(frame.pixels[64:128, 128:192]))
    answer = classify(classifier, [tile])[0]
    assert classifier.card.classes[found.labels[1, 2]] == answer.label
    np.testing.assert_allclose(
        found.probabilities[1, 2], list(answer.probabilities.values()), atol=1e-5
    )


def test_what_is_not_specimen_gets_no_answer(classifier: Classifier) -> None:
    pixels = noise((128, 192)).pixels.copy()
    pixels[:64, :64] = 9
    frame = Micrograph("frame", pixels)
    hidden = np.zeros(frame.shape, bool)
    hidden[64:, 64:120] = True
    found = map_tiles(classifier, frame, 64, exclude=hidden)
    assert found.labels[0, 0] == UNSEEN
    assert found.labels[1, 1] == UNSEEN
    assert (found.labels != UNSEEN).sum() == 4
    assert np.isnan(found.probabilities[0, 0]).all()
    assert found.probability[0, 0] == 0


def test_progress_ends_at_one(classifier: Classifier) -> None:
    heard: list[float] = []
    map_tiles(classifier, noise((256, 320)), 64, on_progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_sizes_that_cannot_work_are_refused(classifier: Classifier) -> None:
    with pytest.raises(UserError, match="too small"):
        map_tiles(classifier, noise((64, 64)), 8)
    with pytest.raises(UserError, match="choose larger ones"):
        map_tiles(classifier, noise((1600, 1600)), 32)
