import re

import numpy as np
import pytest

from core.imaging.display import COLORMAPS, color_table
from core.micrograph import Micrograph, PixelSize
from core.reporting.figures.explanations import color_scale, evidence_map


@pytest.mark.parametrize("name", COLORMAPS)
def test_no_colour_is_one_that_streamlit_replaces(name):
    scale = color_scale(name)
    assert all(re.fullmatch(r"rgba\(\d+,\d+,\d+,0\.\d+\)", color) for _, color in scale)
    first, last = (color_table(name)[row] for row in (0, 255))
    assert scale[0] == [0, "rgba({},{},{},0.000)".format(*first)]  # no evidence is clear
    assert scale[-1][1].startswith("rgba({},{},{},".format(*last))


@pytest.mark.parametrize(
    ("size", "unit", "across"),
    [(PixelSize(0.1, "nm"), "nm", 4), (PixelSize(100, "nm"), "µm", 4), (None, "px", 40)],
)
def test_axes_are_in_the_unit_of_the_frame(size, unit, across):
    micrograph = Micrograph("a", np.zeros((30, 40), np.uint8), size)
    figure = evidence_map(micrograph, np.zeros((30, 40), np.float32))
    assert figure.layout.xaxis.title.text == f"right ({unit})"
    assert max(figure.data[1].x) == pytest.approx(across, rel=0.02)
