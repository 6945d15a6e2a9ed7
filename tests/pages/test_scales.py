"""Pixel sizes on Home: read from the picture, confirmed, for many at once, taken back."""

import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.imaging.overlays import find_overlays
from core.imaging.scale import ScaleBar, ScaleReading, why_no_reading
from core.micrograph import PixelSize
from core.ui import cache
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, texts, upload

pytestmark = pytest.mark.skipif(why_no_reading() is not None, reason="scales cannot be read here")


def labelled(seed=0, shape=(512, 640), text="200 nm", bar=True):
    """A picture whose bar of 100 px says how long it is."""
    rng = np.random.default_rng(seed)
    picture = cv2.GaussianBlur(rng.normal(128, 60, shape).astype(np.float32), (0, 0), 4)
    picture = np.clip(picture, 40, 200).astype(np.uint8)
    row = shape[0] - 40
    if bar:
        picture[row : row + 6, 60:160] = 255
    if text:
        cv2.putText(picture, text, (62, row - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 255, 2)
    return encode(picture)


def loaded(app):
    return list(app.session_state["workspace_micrographs"].values())


def wait(app, seconds=60):
    """Look at the page until every scale was read, as the page itself does."""
    end = time.monotonic() + seconds
    while "Reading scales" in texts(app):
        assert time.monotonic() < end
        time.sleep(0.1)
        app.run()
    return app


@pytest.fixture
def read_as(monkeypatch):
    """Say what is read from every picture, without its being read."""

    def say(reading):
        known = cache.Outcome(reading)
        monkeypatch.setattr(cache, "scale_outcome", lambda m, anyway=False: known, raising=False)
        monkeypatch.setattr(cache, "reading_problem", lambda: "", raising=False)

    return say


def unsure():
    size, bar = PixelSize(2.0, "nm"), ScaleBar(475, 60, 160)
    return ScaleReading(size, "200 nm", bar, False, 200.0, "nm", "one way of finding the bar")


def test_sure_scale_fills_itself_in_and_says_so(app):
    upload(app, ("a.png", labelled()))
    wait(app)
    assert_calm(app)
    (micrograph,) = loaded(app)
    assert micrograph.pixel_size.to("nm") == pytest.approx(2, rel=0.02)
    assert micrograph.metadata["calibration"] == "read from the picture"
    assert "read from the picture" in texts(app)
    app.button(key="home_scales_undo").click().run()
    assert loaded(app)[0].pixel_size is None
    app.run()
    assert loaded(app)[0].pixel_size is None  # it does not come back against the person's will


def test_picture_without_letters_states_nothing(app):
    upload(app, ("a.png", labelled(text="", bar=False)))
    wait(app)
    assert_calm(app)
    assert loaded(app)[0].pixel_size is None


def test_unsure_scale_is_confirmed_with_one_click(app, read_as):
    read_as(unsure())
    upload(app, ("a.png", labelled()))
    assert_calm(app)
    (micrograph,) = loaded(app)
    assert micrograph.pixel_size is None
    assert "Bar of 100 px found" in texts(app)
    app.button(key=f"home_use_{micrograph.sha256}").click().run()
    assert loaded(app)[0].pixel_size == PixelSize(2.0, "nm")
    assert loaded(app)[0].metadata["calibration"] == "set by hand"


def test_moved_end_and_corrected_length_count(app, read_as):
    read_as(unsure())
    upload(app, ("a.png", labelled()))
    sha256 = loaded(app)[0].sha256
    app.number_input(key=f"home_bar_right_{sha256}").set_value(110).run()
    app.number_input(key=f"home_length_{sha256}").set_value(5.0).run()
    app.selectbox(key=f"home_unit_{sha256}").set_value("µm").run()
    app.button(key=f"home_use_{sha256}").click().run()
    assert loaded(app)[0].pixel_size.to("nm") == pytest.approx(100)


def test_one_scale_for_all_of_this_size_and_back(app, read_as):
    read_as(unsure())
    upload(
        app,
        ("a.png", labelled()),
        ("b.png", labelled(1)),
        ("other size.png", labelled(2, (400, 640))),
    )
    first = loaded(app)[0].sha256
    app.selectbox(key="sidebar_micrograph").select_index(0).run()
    app.selectbox(key=f"home_bar_scope_{first}").set_value("size").run()
    app.button(key=f"home_use_{first}").click().run()
    assert [bool(each.pixel_size) for each in loaded(app)] == [True, True, False]
    app.button(key="home_scales_undo").click().run()
    assert not any(each.pixel_size for each in loaded(app))


def test_one_scale_for_a_sample_is_for_its_folder(app, read_as):
    read_as(unsure())
    upload(app, ("S1/a.png", labelled()), ("S1/b.png", labelled(1)), ("S2/c.png", labelled(2)))
    first = loaded(app)[0].sha256
    app.selectbox(key=f"home_bar_scope_{first}").set_value("folder").run()
    app.button(key=f"home_use_{first}").click().run()
    assert [bool(each.pixel_size) for each in loaded(app)] == [True, True, False]


def test_pasted_table_sets_many_and_wrong_lines_set_nothing(app, read_as):
    read_as(None)
    upload(app, ("a.png", labelled()), ("b.png", labelled(1)))
    app.text_area(key="home_scales_paste_0").set_value("a 1 nm\nq 2 nm").run()
    app.button(key="home_scales_set").click().run()
    assert "no micrograph is called q" in app.error[0].value
    assert not any(each.pixel_size for each in loaded(app))
    app.text_area(key="home_scales_paste_0").set_value("a 1 nm\nb 0,5 µm").run()
    app.button(key="home_scales_set").click().run()
    assert_calm(app)
    assert [each.pixel_size.to("nm") for each in loaded(app)] == [1, 500]


def test_missing_packages_are_said_and_the_page_goes_on(app, monkeypatch):
    monkeypatch.setattr(cache, "reading_problem", lambda: "Install it.", raising=False)
    upload(app, ("a.png", labelled()))
    assert_calm(app)
    assert "Install it" in texts(app)
    assert "Bar of 100 px found" in texts(app)


def test_the_ends_of_a_bar_can_be_dragged_in_the_picture(app, read_as):
    read_as(unsure())
    upload(app, ("a.png", labelled()))
    (micrograph,) = loaded(app)
    app.button(key=f"home_drag_{micrograph.sha256}").click().run()
    assert_calm(app)
    (ruler,) = app.session_state["viewer_shapes"][micrograph.sha256]
    assert ruler.points == ((475.0, 59.5), (475.0, 159.5))
    moved = replace(ruler, points=((474.0, 49.5), (476.0, 169.5)))
    app.session_state["viewer_shapes"] = {micrograph.sha256: (moved,)}
    app.run()
    assert_calm(app)
    button = app.button(key=f"home_use_{micrograph.sha256}")
    assert "200 nm = 120 px" in button.label
    button.click().run()
    (used,) = loaded(app)
    assert used.pixel_size.to("nm") == pytest.approx(200 / 120)
    assert app.session_state["viewer_shapes"][micrograph.sha256] == ()
    assert find_overlays(used)[475, 60:160].all()
