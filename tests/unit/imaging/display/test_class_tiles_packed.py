import numpy as np
import pytest

from core.imaging.display import class_colors
from core.imaging.display.class_tiles import STRONGEST, pack, palette, steps


@pytest.mark.parametrize("classes", [1, 3, 5, 7, 255])
def test_a_byte_tells_class_and_certainty(classes):
    labels = np.arange(-1, classes)[None]
    values = pack(labels, np.ones(labels.shape), classes)
    table = palette(classes)
    assert values[0, 0] == 0
    assert table[0].tolist() == [0, 0, 0, 0]
    for number, color in enumerate(class_colors(classes)):
        row = table[values[0, number + 1]]
        assert "#" + bytes(row[:3]).hex() == color
        assert row[3] == round(255 * STRONGEST)


def test_the_surer_the_more_opaque():
    values = pack(np.full((1, 3), 1), np.array([[0.0, 0.5, 1.0]]), 5)
    opacity = palette(5)[values[0], 3].astype(int)
    assert opacity[0] == 0
    assert opacity[1] == pytest.approx(255 * STRONGEST / 2, abs=3)
    assert np.diff(opacity).min() > 0


def test_more_classes_than_values_are_refused():
    with pytest.raises(ValueError, match="one byte"):
        steps(256)
