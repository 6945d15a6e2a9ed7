"""A study saved on Home opens on Home: pictures, scales, samples, shapes and settings."""

import io
import zipfile
from dataclasses import replace

import pandas as pd

from core.imaging.scale import words
from core.micrograph import PixelSize
from core.reporting.batch import run_batch
from core.reporting.recipe import Recipe
from core.reporting.study import open_study, study_bytes
from core.ui.page import studies
from tests.pages.steps import assert_calm, loaded_names, texts, upload
from tests.unit.reporting.conftest import micrograph

RULER = {"kind": "ruler", "points": [[1.0, 2.0], [3.0, 4.0]], "number": 1}


def example(**more):
    one = words.set_pixel_size(micrograph(0, "A_1.tif"), PixelSize(2.5, "nm"))
    notes = {one.sha256: {"shapes": [RULER], "region": [[1, 1], [1, 9], [9, 9]]}}
    return one, study_bytes(
        [one, micrograph(1, "B_1.tif")],
        samples={"A_1.tif": "silver"},
        notes=notes,
        settings={"k": "5"},
        title="Mine",
        **more,
    )


def opened(app, data: bytes):
    known = "study_turn" in app.session_state
    turn = app.session_state["study_turn"] if known else 0
    return app.file_uploader(key=f"study_file_{turn}").upload("mine.micrographia.zip", data).run()


def told(app) -> str:
    """What the page says of the study, without what disarms markup."""
    return "\n".join(each.value for each in app.success).replace("\\", "")


def test_a_study_opens_with_all_that_was_said(app):
    one, data = example()
    opened(app, data)
    assert_calm(app)
    assert loaded_names(app) == ["A_1.tif", "B_1.tif"]
    first = next(iter(app.session_state["workspace_micrographs"].values()))
    assert first.pixel_size == PixelSize(2.5, "nm")
    assert words.is_set_by_hand(first)
    assert first.sha256 != one.sha256  # no file's: results are shared by digest
    assert app.session_state["workspace_samples"] == {first.sha256: "silver"}
    assert app.session_state["viewer_shapes"][first.sha256][0].kind == "ruler"
    assert app.session_state["cluster_region_corners"][first.sha256][2] == (9.0, 9.0)
    assert "Mine: 2 micrographs and 1 setting are open." in told(app)


def test_what_is_saved_again_names_the_files_it_came_from(app):
    one, data = example()
    opened(app, data)
    again = open_study(study_bytes(list(app.session_state["workspace_micrographs"].values())))
    assert again.members[0].sha256 == one.sha256
    assert again.members[0].pixels_sha256 == open_study(data).members[0].pixels_sha256


def test_without_pixels_it_waits_for_the_files(app, png):
    import hashlib

    _, data = example(contain=False)
    opened(app, data)
    assert_calm(app)
    assert loaded_names(app) == []
    assert "does not hold A_1.tif, B_1.tif" in told(app)
    upload(app, ("x.png", png))
    assert hashlib.sha256(png).hexdigest() in app.session_state["workspace_micrographs"]


def test_what_is_no_study_is_a_sentence(app):
    opened(app, b"PK\x03\x04 nothing")
    assert not app.exception
    assert "study" in app.error[0].value
    _, data = example()
    opened(app, data)
    assert_calm(app)


def test_a_stranger_cannot_speak_for_another_file() -> None:
    one, data = example()
    study = open_study(data)
    found = study.micrograph(study.members[0])
    assert found.sha256 == one.sha256
    assert studies.foreign(found).key != one.key
    other = study.micrograph(study.members[1])
    assert studies.foreign(found).sha256 != studies.foreign(other).sha256


def test_clearing_asks_and_can_be_undone(app, png, other_png):
    upload(app, ("a.png", png), ("b.png", other_png))
    app.session_state["workspace_samples"] = {}
    app.button(key="home_clear").click().run()
    assert loaded_names(app) == []
    app.button(key="home_bring_back").click().run()
    assert loaded_names(app) == ["a.png", "b.png"]
    app.button(key="home_clear").click().run()
    upload(app, ("c.png", png))
    assert loaded_names(app) == ["c.png"]
    assert not [each for each in app.button if each.key == "home_bring_back"]


def test_the_results_of_a_study_are_on_batch_report(app, tmp_path):
    result = run_batch(
        [micrograph(0, "A_1.tif"), micrograph(1, "B_1.tif")],
        Recipe(sample_from="name:1", pictures=("labels",)),
        tmp_path,
    )
    data = study_bytes([micrograph(0, "A_1.tif")], result=result, title="Mine", authors=["Me"])
    opened(app, data)
    assert_calm(app)
    assert "Its results are on Batch Report." in told(app)
    app.switch_page("pages/6_Batch_Report.py").run()
    assert_calm(app)
    assert "Results: 2 done, 0 failed" in texts(app)
    assert "nothing was computed again" in texts(app)
    assert app.text_input(key="batch_title").value == "Mine"
    run = app.session_state["batch_run"]
    pd.testing.assert_frame_equal(run.result.rows, result.rows, check_dtype=False)
    pd.testing.assert_frame_equal(run.result.regions, result.regions, check_dtype=False)
    assert "Mine" in run.report.read_text(encoding="utf-8")
    with zipfile.ZipFile(io.BytesIO(run.zip())) as archive:
        assert any(name.startswith("labels/") for name in archive.namelist())


def test_results_that_are_none_are_a_sentence(app):
    _, data = example()
    study = replace(open_study(data), results={"number": [1], "name": ["a"]})
    opened(app, study_bytes(study))
    assert not app.exception
    assert "cannot be shown again" in told(app)
    assert "batch_run" not in app.session_state
