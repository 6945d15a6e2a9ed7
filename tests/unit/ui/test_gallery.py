"""Cards of Home show frames of any proportions."""

from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.elements.lib import image_utils

from core.imaging import display
from core.micrograph import Micrograph
from core.ui.home import gallery


@pytest.mark.parametrize("shape", [(1, 5000), (2, 300), (5000, 1), (3, 4), (10, 900), (1, 1)])
def test_a_frame_of_a_few_rows_keeps_one_on_its_card(shape: tuple[int, int]) -> None:
    frame = Micrograph("a", np.zeros(shape, np.uint8))
    png = display.png_bytes(display.thumbnail(frame, gallery._thumbnail_px(frame)))
    layout = SimpleNamespace(width=gallery._fit_width(frame))
    assert image_utils._ensure_image_size_and_format(png, layout, "PNG")  # type: ignore[arg-type]
