"""Getting files in: many, folders, archives, frames, and what a reload leaves."""

import io
import zipfile

import numpy as np
import pytest
import tifffile
from streamlit.testing.v1 import AppTest

from core.ui.shell import workspace
from tests.pages.conftest import HOME
from tests.pages.steps import assert_calm, finish_batch, loaded_names, texts, upload


@pytest.fixture(scope="module")
def stack() -> bytes:
    """Three pages whose brightest levels differ; no pixel size."""
    rng = np.random.default_rng(0)
    pages = [rng.integers(0, 60 * (n + 1), (80, 90)).astype(np.uint8) for n in range(3)]
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.stack(pages), photometric="minisblack")
    return buffer.getvalue()


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def frame_box(app: AppTest):
    return next(box for box in app.selectbox if str(box.key).startswith("sidebar_frame_"))


def test_archive_stands_for_what_is_in_it(app, png, other_png):
    files = {"run/a.png": png, "run/b.png": other_png, "run/notes.doc": b"hello", "c.png": png}
    upload(app, ("all.zip", packed(files)))
    assert loaded_names(app) == ["a.png", "b.png"]
    assert "2 added, 2 not" in texts(app)
    assert any("notes" in error.value for error in app.error)
    assert "already loaded" in app.info[0].value
    assert not app.exception


def test_broken_archive_is_one_sentence(app):
    upload(app, ("all.zip", b"PK\x03\x04 and no more"))
    assert "archive is cut short" in app.error[0].value
    assert not app.exception


def test_folder_is_taken_with_its_subfolders(app, png, other_png):
    app.segmented_control(key="home_what").set_value("A folder").run()
    field = app.file_uploader(key="home_folder_0")
    field.upload("run/a.png", png).upload("run/deep/b.png", other_png).run()
    assert_calm(app)
    assert loaded_names(app) == ["run/a.png", "run/deep/b.png"]


def test_every_bad_file_is_listed_until_dismissed(app):
    files = {f"bad{n}.png": b"nothing %d" % n for n in range(9)}
    upload(app, ("all.zip", packed(files)))
    for name in files:
        assert name.removesuffix(".png") in texts(app)
    app.button(key="home_sample_alloys").click().run()
    assert "0 added, 9 not" in texts(app)
    app.button(key="home_dismiss").click().run()
    assert "9 not" not in texts(app)
    assert_calm(app)


def test_frames_are_offered_and_loaded_in_place(app, png, stack):
    upload(app, ("one.png", png), ("stack.tif", stack))
    box = frame_box(app)
    assert box.label == "Frame (1 of 3)"
    assert len(box.options) == 3
    before = app.session_state["workspace_current"]
    box.select_index(2).run()
    assert_calm(app)
    assert loaded_names(app) == ["one.png", "stack.tif"]
    assert frame_box(app).label == "Frame (3 of 3)"
    assert app.session_state["workspace_current"] != before
    store = app.session_state["workspace_micrographs"]
    assert store[app.session_state["workspace_current"]].pixels.max() > 150


def test_file_is_known_again_whatever_its_frame(app, stack):
    upload(app, ("stack.tif", stack))
    frame_box(app).select_index(1).run()
    upload(app, ("copy.tif", stack))
    assert loaded_names(app) == ["stack.tif"]
    assert "already loaded, as stack" in app.info[0].value.replace("\\", "")


def test_pixel_size_by_hand_stays_when_the_frame_changes(app, stack):
    upload(app, ("stack.tif", stack))
    sha256 = app.session_state["workspace_current"]
    app.number_input(key=f"sidebar_scale_{sha256}").set_value(4.0).run()
    frame_box(app).select_index(1).run()
    assert "4 nm/px (set by hand)" in texts(app).replace("\\", "")
    sha256 = app.session_state["workspace_current"]
    app.button(key=f"sidebar_undo_{sha256}").click().run()
    assert "set by hand" not in texts(app)
    assert_calm(app)


def test_card_says_what_was_understood(app):
    pixels = np.random.default_rng(1).integers(40, 200, (100, 200)).astype(np.uint16)
    pixels[:20] = 4095
    buffer = io.BytesIO()
    options = {"resolution": (0.5, 0.5), "resolutionunit": "NONE", "metadata": {"unit": "nm"}}
    tifffile.imwrite(buffer, pixels, imagej=True, **options)
    upload(app, ("camera.tif", buffer.getvalue()))
    written = texts(app).replace("\\", "")
    assert "200 × 100 px · 16-bit · 2 nm/px" in written
    assert "Field 400 nm × 200 nm" in written
    assert "to 4095" in written
    assert "saturated 20\u00a0%" in written
    assert "MB of 512 MB in memory" in written
    assert "no pixel size" not in written


def test_removing_the_chosen_one_chooses_its_neighbour(app, png, other_png):
    upload(app, ("a.png", png), ("b.png", other_png))
    first, second = app.session_state["workspace_micrographs"]
    app.button(key=f"home_remove_{second}").click().run()
    assert app.session_state["workspace_current"] == first


def test_gallery_turns_pages(app):
    for _ in range(13):
        app.button(key="home_sample_alloys").click().run()
    assert_calm(app)
    assert len([button for button in app.button if "home_remove_" in str(button.key)]) == 12


def test_kept_files_count_as_memory(app, stack):
    upload(app, ("stack.tif", stack))
    store = app.session_state["workspace_micrographs"]
    kept = app.session_state["workspace_micrographs"].files
    assert sum(file.given.bytes_held for file in kept.values()) == len(stack)
    app.button(key="home_clear").click().run()
    assert not app.session_state["workspace_micrographs"]
    assert not app.session_state["workspace_micrographs"].files
    assert store is not None


def test_reload_brings_samples_back_and_says_what_is_missing():
    app = AppTest.from_file(str(HOME), default_timeout=60)
    app.query_params["files"] = "3"
    app.query_params["samples"] = "spheroids-1.alloys-0"
    app.run()
    assert_calm(app)
    assert loaded_names(app) == ["simulated spheroids 2", "simulated alloys 1"]
    assert "2 samples are back. 3 files must be loaded again." in app.info[0].value
    app.button(key="home_clear").click().run()
    assert "samples" not in app.query_params
    assert not app.info


@pytest.mark.parametrize("stated", ["<b>-1", "spheroids-", "nothing-3", "spheroids-99999", "-"])
def test_odd_address_costs_one_sentence(stated):
    app = AppTest.from_file(str(HOME), default_timeout=60)
    app.query_params["samples"] = stated
    app.query_params["files"] = "many"
    app.run()
    assert_calm(app)
    assert not loaded_names(app)
    assert [each.value for each in app.info] == [
        "2 parts of the address were not understood and are left out."
    ]


def test_address_says_what_is_loaded(app, png):
    upload(app, ("a.png", png))
    app.button(key="home_sample_alloys").click().run()
    assert app.query_params["files"] == "1"
    assert app.query_params["samples"] == "alloys-0"


def test_session_that_is_full_names_the_file(app, stack, monkeypatch):
    monkeypatch.setattr(workspace, "MOST_BYTES", 10_000)
    upload(app, ("stack.tif", stack))
    assert "stack.tif: There is no room" in app.error[0].value.replace("\\", "")


def test_batch_takes_an_archive(app, png, other_png):
    app.switch_page("pages/6_Batch_Report.py").run()
    data = packed({"a.png": png, "b.png": other_png})
    app.file_uploader(key="batch_files").upload("all.zip", data).run()
    assert app.button(key="batch_run_now").label == "Run on all of it"
    finish_batch(app)
    assert_calm(app)
    assert "2 done, 0 failed" in app.subheader[0].value
