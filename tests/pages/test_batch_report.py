"""The Batch Report page: sources, recipe, a batch in the background, its results and labels."""

import hashlib
import io
import time
import zipfile

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.__main__ import main
from core.imaging.filtering import Step
from core.learning.models import list_models, load_model, models_folder
from core.reporting.recipe import Recipe
from core.ui.batch import scales, sources
from tests.pages.conftest import HOME
from tests.pages.steps import assert_calm, finish_batch, texts, upload

PAGE = "pages/6_Batch_Report.py"


def test_batch_runs_on_what_is_loaded(app, png, other_png):
    upload(app, ("a.png", png), ("b.png", other_png))
    app.switch_page(PAGE).run()
    finish_batch(app)
    assert_calm(app)
    assert "2 done, 0 failed" in app.subheader[0].value
    assert list(app.dataframe[0].value["micrograph"]) == ["a.png", "b.png"]


def test_bad_files_are_named_and_the_others_go_on(open_page, png):
    app = open_page("6_Batch_Report")
    uploader = app.file_uploader(key="batch_files")
    uploader.upload("good.png", png).upload("bad.png", b"not a picture").run()
    finish_batch(app)
    assert_calm(app)
    assert "1 done, 1 failed" in app.subheader[0].value
    assert "bad" in app.warning[0].value


def test_batch_of_bad_files_alone_is_still_a_result(open_page):
    app = open_page("6_Batch_Report")
    app.file_uploader(key="batch_files").upload("bad.png", b"not a picture").run()
    finish_batch(app)
    assert_calm(app)
    assert "0 done, 1 failed" in app.subheader[0].value


def test_recipe_takes_features_and_smoothing_from_the_cluster_page(app, png):
    upload(app, ("a.png", png))
    app.switch_page("pages/4_Cluster.py").run()
    app.segmented_control(key="cluster_mode").set_value("features").run()
    app.pills(key="cluster_families").set_value(["intensity", "texture"]).run()
    app.selectbox(key="cluster_smoothing").set_value("majority").run()
    app.switch_page(PAGE).run()
    assert app.selectbox(key="batch_clustering").value == "features"
    assert "by features, neighbours vote" in texts(app)
    finish_batch(app)
    assert_calm(app)
    recipe = app.session_state["batch_run"].result.recipe
    assert recipe.features.chosen == ("intensity", "texture")
    assert recipe.smoothing.kind == "majority"


def test_recipe_takes_the_level_of_the_classify_page_where_the_model_gives_it(
    app, png, monkeypatch
):
    monkeypatch.delenv("MICROGRAPHIA_MODELS")  # the shipped model, which keeps held-out answers
    upload(app, ("a.png", png))
    app.switch_page("pages/1_Classify.py").run()
    app.slider(key="classify_level").set_value(70).run()
    app.switch_page(PAGE).run()
    assert_calm(app)
    assert "prediction sets at 70 %" in texts(app)


def test_recipe_gathers_what_was_set_on_other_pages(app, png):
    upload(app, ("a.png", png))
    app.switch_page("pages/4_Cluster.py").run()
    app.slider(key="cluster_k").set_value(5).run()
    app.switch_page("pages/3_Filters.py").run()
    app.selectbox(key="filters_next").set_value("otsu").run()
    app.switch_page(PAGE).run()
    assert app.slider(key="batch_k").value == 5
    app.slider(key="batch_k").set_value(2).run()
    app.toggle(key="batch_filters").set_value(True).run()
    assert "Otsu" in texts(app)
    finish_batch(app)
    assert_calm(app)
    recipe = app.session_state["batch_run"].result.recipe
    assert recipe.filters[-1].filter == "otsu"
    assert recipe.clusters == 2


def test_recipe_from_a_file_is_used_and_a_wrong_one_is_a_sentence(app, png):
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    app.segmented_control(key="batch_recipe_origin").set_value("A file").run()
    assert app.button(key="batch_run_now").disabled
    uploader = app.file_uploader(key="batch_recipe_file")
    uploader.upload("recipe.json", b"{}").run()
    assert "not a recipe" in app.error[0].value
    text = Recipe(clusters=4, target_cluster=1).to_json().encode()
    field = app.file_uploader(key="batch_recipe_file")
    field.set_value([("recipe.json", text, "application/json")]).run()
    finish_batch(app)
    assert app.session_state["batch_run"].result.recipe.clusters == 4


def test_a_recipe_opens_no_path_and_leaves_the_batch_before_alone(app, png):
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    finish_batch(app)
    before = app.session_state["batch_run"]
    app.segmented_control(key="batch_recipe_origin").set_value("A file").run()
    path = str(models_folder() / list_models()[0])
    assert load_model(path, device="cpu")  # the command line may
    text = Recipe(model=path).to_json().encode()
    field = app.file_uploader(key="batch_recipe_file")
    field.upload("recipe.json", text).run()
    assert "which is not here" in app.error[0].value
    assert app.session_state["batch_run"] is before
    assert (before.result.out / "results.csv").is_file()


def test_leaving_the_page_loses_nothing_and_two_visitors_do_not_mix(app, png, other_png):
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    app.button(key="batch_run_now").click().run()
    other = AppTest.from_file(str(HOME), default_timeout=60).run()
    upload(other, ("b.png", other_png))
    other.switch_page(PAGE).run()
    app.switch_page("pages/1_Classify.py").run()
    finish_batch(other)
    run = app.session_state["batch_run"]
    while run.is_running:
        time.sleep(0.05)
    app.switch_page(PAGE).run()
    assert_calm(app)
    assert [*run.result.rows["name"]] == ["a.png"]
    assert [*other.session_state["batch_run"].result.rows["name"]] == ["b.png"]
    assert list(app.dataframe[0].value["micrograph"]) == ["a.png"]


def test_folder_goes_with_the_run(app, png):
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    first = finish_batch(app).session_state["batch_run"].result.out
    assert (first / "report.html").is_file()
    assert finish_batch(app).session_state["batch_run"].result.out != first
    assert not first.exists()


def test_labels_from_folders_in_a_zip_give_a_confusion_matrix(open_page, png, other_png):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("spheroids/a.png", png)
        archive.writestr("alloys/b.png", other_png)
    app = open_page("6_Batch_Report")
    app.selectbox(key="batch_label_from").set_value("folder").run()
    app.file_uploader(key="batch_files").upload("all.zip", buffer.getvalue()).run()
    finish_batch(app)
    assert_calm(app)
    assert [*app.dataframe[0].value["label"]] == ["spheroids", "alloys"]
    run = app.session_state["batch_run"]
    assert "Against the labels" in texts(app)
    assert "Confusion matrix" in run.report.read_text()
    run.label({1: "rods & fibres", 2: ""})
    assert [*run.result.rows["true_label"]] == ["rods_fibres", ""]
    assert "of 1 as labelled" in texts(app.run())


@pytest.mark.parametrize(
    ("stated", "address", "allowed"),
    [
        (None, None, False),
        (None, "0.0.0.0", False),
        (None, "localhost", True),
        ("0", "localhost", False),
        ("1", None, True),
    ],
)
def test_paths_of_the_server_are_for_local_runs_only(monkeypatch, stated, address, allowed):
    monkeypatch.delenv(sources.LOCAL_ENV, raising=False)
    if stated is not None:
        monkeypatch.setenv(sources.LOCAL_ENV, stated)
    monkeypatch.setattr("streamlit.get_option", lambda name: address)
    assert sources.paths_are_allowed() is allowed


def test_path_that_is_not_there_is_a_sentence(open_page, monkeypatch, tmp_path, png):
    monkeypatch.setenv(sources.LOCAL_ENV, "1")
    app = open_page("6_Batch_Report")
    app.segmented_control(key="batch_origin").set_value(sources.PATH).run()
    app.text_input(key="batch_path").set_value(str(tmp_path / "none")).run()
    assert "There is nothing at" in app.error[0].value
    (tmp_path / "a.png").write_bytes(png)
    app.text_input(key="batch_path").set_value(str(tmp_path)).run()
    finish_batch(app)
    assert "1 done, 0 failed" in app.subheader[0].value


def test_app_and_command_line_give_the_same_numbers(app, png, other_png, tmp_path):
    for name, data in (("a.png", png), ("b.png", other_png)):
        (tmp_path / name).write_bytes(data)
    upload(app, ("a.png", png), ("b.png", other_png))
    app.switch_page(PAGE).run()
    ours = finish_batch(app).session_state["batch_run"].result
    recipe = tmp_path / "recipe.json"
    recipe.write_text(ours.recipe.to_json(), encoding="utf-8")
    asked = [str(tmp_path / "a.png"), str(tmp_path / "b.png"), "--recipe", str(recipe), "--quiet"]
    assert main(["batch", *asked, "--out", str(tmp_path / "out")]) == 0
    for name in ("results.csv", "regions.csv", "results.parquet", "recipe.json", "report.html"):
        assert (tmp_path / "out" / name).read_bytes() == (ours.out / name).read_bytes(), name


def test_a_region_of_interest_is_said_to_be_left_out(open_page):
    app = open_page("4_Cluster")
    app.button(key="start_sample_alloys").click().run()
    app.segmented_control(key="cluster_region_way").set_value("Typed").run()
    app.switch_page("pages/6_Batch_Report.py").run()
    assert_calm(app)
    assert "a batch measures whole frames" in texts(app)
    app.switch_page("pages/4_Cluster.py").run()
    app.segmented_control(key="cluster_region_way").set_value("Whole").run()
    app.switch_page("pages/6_Batch_Report.py").run()
    assert "a batch measures whole frames" not in texts(app)


def test_a_refused_start_leaves_the_finished_batch_as_it_was(app, png, monkeypatch):
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    finish_batch(app)
    before = app.session_state["batch_run"]
    app.segmented_control(key="batch_origin").set_value(sources.FILES).run()
    app.file_uploader(key="batch_files").upload("b.png", png).run()
    monkeypatch.setenv("MICROGRAPHIA_SESSIONS_MB", "0")
    app.button(key="batch_run_now").click().run()
    assert any("no room" in error.value for error in app.error)
    monkeypatch.delenv("MICROGRAPHIA_SESSIONS_MB")
    app.run()
    assert_calm(app)
    assert app.session_state["batch_run"] is before
    assert "1 done, 0 failed" in app.subheader[0].value
    assert before.report.is_file()


@pytest.mark.parametrize("typed", ["~nosuchuser/x", "/nope", "x" * 5000, "a\x00b"])
def test_a_wrong_path_hides_no_result(app, png, monkeypatch, typed):
    monkeypatch.setenv(sources.LOCAL_ENV, "1")
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    finish_batch(app)
    app.segmented_control(key="batch_origin").set_value(sources.PATH).run()
    app.text_input(key="batch_path").set_value(typed).run()
    assert [error.value[:19] for error in app.error] == ["There is nothing at"]
    assert "1 done, 0 failed" in app.subheader[0].value


def test_a_wrong_recipe_hides_no_result(app, png):
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    finish_batch(app)
    app.segmented_control(key="batch_recipe_origin").set_value("A file").run()
    app.file_uploader(key="batch_recipe_file").upload("recipe.json", b"{}").run()
    assert "not a recipe" in app.error[0].value
    assert "1 done, 0 failed" in app.subheader[0].value


def test_a_finished_batch_is_found_again_by_its_key(app, png):
    from core.ui.batch import run as batch_run

    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    finish_batch(app)
    run = app.session_state["batch_run"]
    key = batch_run.keep(run)
    assert batch_run.find(key) is run
    assert batch_run.find(key[::-1]) is None
    report = run.report
    del app.session_state["batch_run"], run
    app.run()
    assert batch_run.find(key).report == report
    assert report.is_file()


def test_a_waiting_batch_is_cancelled_and_lets_go_of_its_uploads(app, png, monkeypatch):
    from core.ui.batch import run as batch_run
    from core.ui.parts.turns import Turns

    turns = Turns(0)
    monkeypatch.setattr(batch_run, "_TURNS", turns)
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    app.button(key="batch_run_now").click().run()
    run = app.session_state["batch_run"]
    assert run.is_running
    run.cancel()
    for _ in range(100):
        if not run.is_running:
            break
        time.sleep(0.1)
    assert not run.is_running
    app.run()
    assert "Cancelled before it began" in app.error[0].value


def test_labels_that_match_nothing_are_named_on_the_page(app, png):
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    finish_batch(app)
    run = app.session_state["batch_run"]
    table = b"name,true_label,label\na.png,aloys,alloys\nb.png,alloys,alloys\n"
    app.file_uploader(key=f"batch_labels_{run.revision}").upload("labels.csv", table).run()
    assert_calm(app)
    said = " ".join(warning.value for warning in app.warning)
    assert "1 name in the table is no micrograph" in said
    assert "aloys" in said


def test_a_flat_field_of_the_workspace_is_found_by_a_batch(app, png):
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    flat = np.tile(np.linspace(100, 200, picture.shape[1]), (picture.shape[0], 1))
    flat_png = cv2.imencode(".png", flat.astype(np.uint8))[1].tobytes()
    upload(app, ("flat.png", flat_png))
    app.switch_page(PAGE).run()
    app.segmented_control(key="batch_recipe_origin").set_value("A file").run()
    digest = hashlib.sha256(flat_png).hexdigest()
    text = Recipe(filters=(Step("flat_field", {"other": digest}),)).to_json().encode()
    app.file_uploader(key="batch_recipe_file").upload("recipe.json", text).run()
    app.segmented_control(key="batch_origin").set_value(sources.FILES).run()
    app.file_uploader(key="batch_files").upload("a.png", png).run()
    finish_batch(app)
    assert_calm(app)
    assert "1 done, 0 failed" in app.subheader[0].value


def test_pixel_sizes_of_samples_go_into_the_recipe_and_the_rows(app, png, other_png):
    upload(app, ("A_1.png", png), ("B_1.png", other_png))
    app.session_state["batch_sample_from"] = "name:1"
    app.switch_page(PAGE).run()
    app.session_state["batch_pixel_sizes"] = {"A": "2 nm"}
    app.text_input(key="batch_pixel_size_of_all").set_value("0,5 µm").run()
    assert "500 nm for all; A (2 nm)" in texts(app).replace("\\", "")
    finish_batch(app)
    assert_calm(app)
    assert "[A 1]" in texts(app)
    rows = app.session_state["batch_run"].result.rows
    assert rows["pixel_size_nm"].tolist() == [2, 500]
    assert rows["pixel_size_source"][0] == "set by the recipe for sample A"
    app.text_input(key="batch_pixel_size_of_all").set_value("a few").run()
    assert "is no pixel size" in app.warning[0].value


def test_what_is_no_length_is_not_taken(app):
    scales.state({"A": "2,5nm", "B": "wide"})
    assert scales.pairs() == (("A", "2.5 nm"),)
    scales.state({"A": ""})
    assert scales.pairs() == ()
