"""Places of pictures in the map, and the colours of their frames."""

import numpy as np

from core.measuring.embedding import Projection
from core.reporting import figures
from core.ui.compare import cloud


def test_places_fill_the_plane_and_one_value_is_its_middle():
    found = cloud._unit(np.array([[-3.0, 7.0], [1.0, 7.0], [-1.0, 7.0]]))
    np.testing.assert_allclose(found, [[0, 0.5], [1, 0.5], [0.5, 0.5]])


def test_kinds_are_counted_as_people_count():
    kinds = [f"group {n}" for n in (10, 2, 1, 2)]
    assert list(figures.kind_colors(kinds)) == ["group 1", "group 2", "group 10"]


def test_axes_say_what_they_show():
    flat = np.zeros((2, 2))
    assert figures.axis_titles(Projection(flat, "pca", (0.61, 0.2)))[1].endswith(
        "1 (61 % of the scatter)"
    )
    assert "t-SNE" in figures.axis_titles(Projection(flat, "tsne", (np.nan, np.nan)))[0]
