import pytest

from core.ui.parts.filmstrip import around


@pytest.mark.parametrize(
    ("place", "count", "most", "wanted"),
    [
        (0, 3, 25, [0, 1, 2]),
        (0, 9, 5, [0, 1, 2, 3, 4]),
        (4, 9, 5, [2, 3, 4, 5, 6]),
        (8, 9, 5, [4, 5, 6, 7, 8]),
    ],
)
def test_the_neighbours_of_a_place(place, count, most, wanted):
    assert list(around(place, count, most)) == wanted
