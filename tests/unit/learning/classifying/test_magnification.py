import dataclasses

import numpy as np
import pytest

from core.learning.classifying.magnification import check_magnification
from core.learning.models import ModelCard
from core.learning.training.pictures import LabelledPicture
from core.learning.training.scales import training_range
from core.micrograph import Micrograph, PixelSize

CARD = ModelCard(
    "m",
    "emnet",
    ("a", "b"),
    training_range={"pixel_size_nm": [0.2, 50.0], "field_width_nm": [100, 30_000]},
)


def frame(nm: float | None, width: int = 500) -> Micrograph:
    size = None if nm is None else PixelSize(nm, "nm")
    return Micrograph("frame", np.zeros((40, width), np.uint8), size)


@pytest.mark.parametrize("nm", [None, 0.201, 1.0, 50.0, 60.3])
def test_within_the_range_nothing_is_said(nm: float | None) -> None:
    width = 400 if nm == 60.3 else 500
    if nm == 60.3:
        nm = 50.2  # a scale read from a bar is not exact to the last digit
    assert check_magnification(CARD, frame(nm, width)) == ""


def test_what_lies_outside_is_said_in_words() -> None:
    small = check_magnification(CARD, frame(0.1))
    assert "field of view, 50 nm, is below the 100 nm to 30 µm" in small
    assert "pixel size, 0.1 nm, is below" in small
    assert "is above the 100 nm to 30 µm" in check_magnification(CARD, frame(2_000.0))
    wide = check_magnification(CARD, frame(20.0, 2_000))
    assert "field of view" in wide
    assert "pixel size" not in wide


def test_a_model_that_states_no_range_says_nothing() -> None:
    assert check_magnification(dataclasses.replace(CARD, training_range={}), frame(1e9)) == ""


def test_the_range_is_that_of_the_frames_whose_scale_is_known() -> None:
    pictures = [
        LabelledPicture(frame(None), "a", str(n), "", "", "", noted)
        for n, noted in enumerate([None, 2.0, None])
    ]
    shown = [(frame(None), None), (frame(None, 800), None), (frame(0.5), None)]
    found = training_range(pictures, {"pictures": shown})
    assert found["pixel_size_nm"] == [0.5, 2.0]
    assert found["field_width_nm"] == [250, 1600]
    assert (found["frames"], found["of"]) == (2, 3)
    assert training_range(pictures[:1], {"pictures": shown[:1]}) == {}
