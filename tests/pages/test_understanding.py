"""Scale, corrections of what is not specimen, instrument, and saving: kept across pages."""

import io

import numpy as np
import pytest
import tifffile
from streamlit.testing.v1 import AppTest

from core.imaging.simulation.samples import simulate
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, finish_batch, texts, upload
from tests.unit.imaging.overlays.test_finding import info_bar, specimen

PAGES = ("1_Classify", "2_Explain", "3_Filters", "4_Cluster", "5_Segment", "6_Batch_Report")


@pytest.fixture(scope="module")
def with_bar() -> bytes:
    """Specimen of 400 × 500 px above an info bar of 36 px with a scale bar of 100 px."""
    band = info_bar(500)
    band[30:32, 380:480] = 255
    return encode(np.vstack([specimen(), band]))


@pytest.fixture(scope="module")
def scaled() -> bytes:
    """A file that states 2 nm/px."""
    buffer = io.BytesIO()
    pixels = simulate("spheroids", shape=(96, 128), seed=1).micrograph.pixels
    options = {"resolution": (0.5, 0.5), "resolutionunit": "NONE", "metadata": {"unit": "nm"}}
    tifffile.imwrite(buffer, pixels, imagej=True, **options)
    return buffer.getvalue()


def written(app: AppTest) -> str:
    return texts(app).replace("\\", "")


def current(app: AppTest):
    return app.session_state["workspace_micrographs"][app.session_state["workspace_current"]]


@pytest.mark.parametrize("name", [None, *PAGES])
def test_pixel_size_and_saving_are_in_every_sidebar(app, scaled, name):
    upload(app, ("scaled.tif", scaled))
    if name:
        app.switch_page(f"pages/{name}.py").run()
    assert_calm(app)
    sha256 = app.session_state["workspace_current"]
    assert app.sidebar.number_input(key=f"sidebar_scale_{sha256}").placeholder == "2"
    labels = [button.label for button in app.sidebar.get("download_button")]
    assert labels[-2:] == ["TIFF (8-bit)", "PNG (8-bit)"]


def test_scale_by_hand_replaces_the_files_own_and_can_be_undone(app, scaled):
    upload(app, ("scaled.tif", scaled))
    sha256 = app.session_state["workspace_current"]
    app.number_input(key=f"sidebar_scale_{sha256}").set_value(5.0).run()
    assert "5 nm/px (set by hand)" in written(app)
    app.switch_page("pages/4_Cluster.py").run()
    assert "5 nm/px (set by hand)" in written(app)
    app.button(key=f"sidebar_undo_{sha256}").click().run()
    assert_calm(app)
    assert current(app).pixel_size.to("nm") == pytest.approx(2)
    assert "set by hand" not in written(app)
    assert app.number_input(key=f"sidebar_scale_{sha256}").value is None


def test_scale_bar_is_found_measured_and_set(app, with_bar):
    upload(app, ("bar.png", with_bar))
    sha256 = app.session_state["workspace_current"]
    next(box for box in app.get("button_group") if box.key == f"sidebar_way_{sha256}").set_value(
        "Scale bar"
    ).run()
    assert app.number_input(key=f"bar_left_{sha256}").value == 380
    assert app.number_input(key=f"bar_right_{sha256}").value == 480
    assert app.button(key=f"bar_set_{sha256}").disabled
    app.number_input(key=f"bar_length_{sha256}").set_value(2.0).run()
    app.selectbox(key=f"bar_unit_{sha256}").set_value("µm").run()
    app.button(key=f"bar_set_{sha256}").click().run()
    assert_calm(app)
    assert current(app).pixel_size.to("nm") == pytest.approx(20)
    assert "20 nm/px (set by hand)" in written(app)


def test_oblong_pixels_give_no_pixel_size_and_the_reason(app):
    buffer = io.BytesIO()
    options = {"resolution": (0.5, 0.25), "resolutionunit": "NONE", "metadata": {"unit": "nm"}}
    tifffile.imwrite(
        buffer, np.arange(6000, dtype=np.uint16).reshape(60, 100), imagej=True, **options
    )
    upload(app, ("oblong.tif", buffer.getvalue()))
    assert current(app).pixel_size is None
    assert "The pixels are not square" in written(app)


def test_scale_by_hand_is_marked_in_batch_tables(app, png):
    upload(app, ("a.png", png))
    sha256 = app.session_state["workspace_current"]
    app.number_input(key=f"sidebar_scale_{sha256}").set_value(5.0).run()
    app.switch_page("pages/6_Batch_Report.py").run()
    finish_batch(app)
    assert_calm(app)
    run = app.session_state["batch_run"]
    assert run.result.rows["pixel_size_source"].tolist() == ["set by hand"]
    assert list(app.dataframe[0].value["pixel size from"]) == ["set by hand"]
    assert "set by hand" in run.report.read_text(encoding="utf-8")


def test_correction_is_kept_for_pages_and_batch(app, with_bar):
    upload(app, ("bar.png", with_bar))
    sha256 = app.session_state["workspace_current"]
    assert "info bar found" in written(app)
    assert app.slider(key=f"home_bottom_rows_{sha256}").value == 36
    app.slider(key=f"home_bottom_rows_{sha256}").set_value(109).run()
    app.toggle(key=f"home_lettering_{sha256}").set_value(False).run()
    assert_calm(app)
    app.switch_page("pages/4_Cluster.py").run()
    assert "Share of the 75.0 % of the frame" in written(app).replace("\u00a0", " ")
    app.switch_page("pages/6_Batch_Report.py").run()
    finish_batch(app)
    rows = app.session_state["batch_run"].result.rows
    assert rows["excluded_percent"].tolist() == [25.0]
    app.switch_page("Home.py").run()
    assert app.slider(key=f"home_bottom_rows_{sha256}").value == 109
    app.button(key=f"home_reset_{sha256}").click().run()
    assert app.slider(key=f"home_bottom_rows_{sha256}").value == 36
    assert app.toggle(key=f"home_lettering_{sha256}").value
    assert_calm(app)


def test_leaving_out_can_be_switched_off_for_one_micrograph(app, with_bar):
    upload(app, ("bar.png", with_bar))
    sha256 = app.session_state["workspace_current"]
    app.toggle(key=f"home_enabled_{sha256}").set_value(False).run()
    assert app.slider(key=f"home_bottom_rows_{sha256}").disabled
    app.switch_page("pages/4_Cluster.py").run()
    assert "Share of the whole frame." in written(app)


def test_scale_and_correction_do_not_undo_each_other(app, with_bar):
    upload(app, ("bar.png", with_bar))
    sha256 = app.session_state["workspace_current"]
    app.slider(key=f"home_bottom_rows_{sha256}").set_value(50).run()
    app.number_input(key=f"sidebar_scale_{sha256}").set_value(5.0).run()
    app.slider(key=f"home_top_rows_{sha256}").set_value(10).run()
    assert current(app).pixel_size.to("nm") == 5
    app.button(key=f"sidebar_undo_{sha256}").click().run()
    assert current(app).pixel_size is None
    assert current(app).metadata["overlays"]["bottom_rows"] == 50
    assert current(app).metadata["overlays"]["top_rows"] == 10


def test_instrument_is_a_small_table(app, shared_data):
    file = next((shared_data / "native" / "tiff" / "apreo").glob("*.tif"))
    upload(app, (file.name, file.read_bytes()))
    table = app.sidebar.table[0].value
    assert {"Microscope", "Voltage", "Magnification"} <= set(table.iloc[:, 0])
    assert_calm(app)


def test_no_instrument_no_table(app, png):
    upload(app, ("a.png", png))
    assert not app.sidebar.table
