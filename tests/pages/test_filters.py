"""The Filters page: building a chain, going back, looking, and taking it home."""

import json

import numpy as np
import pytest

from core.imaging.display.saving import save_tiff_bytes
from core.imaging.filtering.pipeline import FAMILIES, FILTERS, Pipeline, Step
from core.imaging.filtering.presets import PRESETS
from core.micrograph import Micrograph, PixelSize
from core.reporting.recipe import Recipe
from core.ui import cache
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, loaded_names, texts, upload


@pytest.fixture
def bench(app, png):
    """The page with one micrograph and the chain it starts with."""
    upload(app, ("spheres.png", png))
    return app.switch_page("pages/3_Filters.py").run()


def chain_of(app):
    return [link.filter for link in app.session_state["filters_chain"]]


def add(app, name):
    return app.selectbox(key="filters_next").set_value(name).run()


def paste(app, text):
    return app.text_area(key="filters_recipe_text").set_value(text).run()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_filter_of_a_family_has_its_controls_and_runs(bench, family):
    specs = [spec for spec in FILTERS.values() if spec.family == family]
    alone = [spec for spec in specs if not any(p.kind == "image" for p in spec.parameters)]
    paste(bench, Pipeline([Step(spec.name) for spec in alone]).to_json())
    assert_calm(bench)
    assert chain_of(bench) == [spec.name for spec in alone]
    bench.selectbox(key="filters_family").set_value(family).run()
    assert bench.selectbox(key="filters_next").options == [spec.title for spec in specs]


def test_a_step_is_switched_off_duplicated_and_moved(bench):
    add(bench, "invert")
    bench.toggle(key="filters_1_on").set_value(False).run()
    assert [step.filter for step in Pipeline.from_json(bench.code[0].value).steps] == ["invert"]
    bench.button(key="filters_copy_2").click().run()
    bench.button(key="filters_up_3").click().run()
    assert chain_of(bench) == ["gaussian", "invert", "invert"]
    assert [link.number for link in bench.session_state["filters_chain"]] == [1, 3, 2]
    assert_calm(bench)


def test_undo_and_redo_go_through_every_change_and_survive_a_change_of_page(bench):
    assert bench.button(key="filters_undo").disabled
    bench.number_input(key="filters_1_sigma_px").set_value(4.0).run()
    add(bench, "otsu")
    bench.button(key="filters_reset").click().run()
    assert chain_of(bench) == []
    bench.switch_page("pages/4_Cluster.py").run()
    bench.switch_page("pages/3_Filters.py").run()
    bench.button(key="filters_undo").click().run()
    assert chain_of(bench) == ["gaussian", "otsu"]
    bench.button(key="filters_undo").click().run()
    bench.button(key="filters_undo").click().run()
    link = bench.session_state["filters_chain"][0]
    assert link.values == {"sigma_px": 1.5}
    assert bench.number_input(key=f"filters_{link.number}_sigma_px").value == 1.5
    assert bench.button(key="filters_undo").disabled
    for _ in range(3):
        bench.button(key="filters_redo").click().run()
    assert chain_of(bench) == []
    assert bench.button(key="filters_redo").disabled
    assert_calm(bench)


def test_spots_are_cleared_with_one_click(bench):
    paste(bench, Pipeline([Step("notch", {"spots": [[0.1, 0.2], [0.0, 0.3]]})]).to_json())
    assert "2 spots, set by clicks" in texts(bench)
    number = bench.session_state["filters_chain"][0].number
    bench.button(key=f"filters_{number}_spots").click().run()
    assert "0 spots, set by clicks" in texts(bench)
    bench.button(key="filters_undo").click().run()
    assert len(bench.session_state["filters_chain"][0].values["spots"]) == 2
    assert_calm(bench)


def test_every_preset_runs_and_undo_brings_the_old_chain_back(bench):
    for number, preset in enumerate(PRESETS):
        bench.selectbox(key="filters_preset").set_value(number).run()
        assert_calm(bench)
        assert chain_of(bench) == [step.filter for step in preset.steps]
        assert len(bench.dataframe[0].value) == len(preset.steps) + 1
        bench.button(key="filters_undo").click().run()
        assert chain_of(bench) == ["gaussian"]


@pytest.mark.parametrize("view", ["Linked zoom", "Line profile", "Spectrum"])
def test_every_view_can_be_looked_at(bench, view):
    add(bench, "notch")
    bench.segmented_control(key="filters_view").set_value(view).run()
    assert_calm(bench)
    add(bench, "orientation")
    assert_calm(bench)
    assert ("A colour is a direction" in texts(bench)) is (view != "Spectrum")


def test_the_ends_of_a_line_are_numbers_that_stay(bench):
    bench.segmented_control(key="filters_view").set_value("Line profile").run()
    bench.number_input(key="filters_line_1").set_value(3).run()
    bench.number_input(key="filters_line_2").set_value(180).run()
    bench.switch_page("pages/4_Cluster.py").run()
    bench.switch_page("pages/3_Filters.py").run()
    values = [bench.number_input(key=f"filters_line_{number}").value for number in range(4)]
    assert values == [96, 3, 180, 192]
    assert_calm(bench)


def test_a_recipe_comes_as_text_and_leaves_as_text(bench):
    steps = (Step("median", {"size_px": 5}), Step("li"))
    paste(bench, Pipeline(steps).to_json())
    assert_calm(bench)
    assert chain_of(bench) == ["median", "li"]
    assert bench.code[0].value == Pipeline(steps).to_json()
    assert "Li threshold: grey level" in texts(bench)
    whole = Recipe(filters=steps[:1], exclude_overlays=False).to_json()
    bench.file_uploader(key="filters_recipe_file_0").upload("r.json", whole.encode()).run()
    assert_calm(bench)
    assert chain_of(bench) == ["median"]
    assert bench.toggle(key="workspace_exclude_overlays").value is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ('{"steps": [{"filter": "sharpen <b>all</b>"}]}', "no filter called"),
        ('{"steps": [{"filter": "gaussian", "parameters": {"sigma_px": 1e9}}]}', "from 0 to 50"),
        ('{"steps": [{"filter": "gaussian", "parameters": {"sigma_px": "2"}}]}', "a number"),
        (json.dumps({"steps": [{"filter": "invert"}] * 40}), "at most 32"),
        ('{"steps": ' + "[" * 5000, "not valid JSON"),
        ("x" * 1_100_000, "longer than any recipe"),
    ],
)
def test_a_hostile_recipe_leaves_the_chain_and_says_why(bench, text, words):
    paste(bench, text)
    assert not bench.exception
    assert words in bench.error[0].value.replace("\\", "")
    assert "chain was left as it is" in bench.error[0].value
    assert chain_of(bench) == ["gaussian"]
    bench.run()
    assert_calm(bench)


def test_lengths_in_nanometres_where_the_pixel_size_is_known(app, png):
    pixels = np.random.default_rng(0).integers(0, 60_000, (120, 140)).astype(np.uint16)
    scaled = save_tiff_bytes(Micrograph("a", pixels, PixelSize(2, "nm")))
    upload(app, ("scaled.tif", scaled), ("plain.png", png))
    app.switch_page("pages/3_Filters.py").run()
    app.sidebar.selectbox(key="sidebar_micrograph").select_index(0).run()
    app.checkbox(key="filters_1_nm").set_value(True).run()
    assert app.number_input(key="filters_1_sigma_nm").value == 3.0
    app.number_input(key="filters_1_sigma_nm").set_value(4.0).run()
    assert_calm(app)
    assert app.session_state["filters_chain"][0].values == {"sigma_nm": 4.0}
    others = app.sidebar.selectbox(key="sidebar_micrograph")
    others.select_index(1).run()
    assert "no pixel size" in app.error[0].value
    app.checkbox(key="filters_1_nm").set_value(False).run()
    assert_calm(app)
    assert app.session_state["filters_chain"][0].values == {"sigma_px": 1.5}


def test_a_flat_field_is_another_loaded_micrograph(app, png):
    flat = np.full((192, 256), 120, np.uint8)
    flat[:, 128:] = 60
    upload(app, ("spheres.png", png), ("flat.png", encode(flat)))
    app.switch_page("pages/3_Filters.py").run()
    app.sidebar.selectbox(key="sidebar_micrograph").select_index(0).run()
    add(app, "flat_field")
    assert "none is chosen" in app.error[0].value
    app.selectbox(key="filters_2_other").select_index(0).run()
    assert_calm(app)
    assert "Flat field" in list(app.dataframe[0].value["after"])[2]


def test_the_result_becomes_the_current_micrograph_with_its_history(bench):
    add(bench, "invert")
    bench.button(key="filters_adopt").click().run()
    assert_calm(bench)
    assert loaded_names(bench) == ["spheres.png", "spheres.png (filtered)"]
    assert bench.sidebar.selectbox(key="sidebar_micrograph").index == 1
    assert chain_of(bench) == []
    assert "1. gaussian(sigma_px=1.5)" in texts(bench)
    assert "2. invert()" in texts(bench)
    bench.switch_page("pages/4_Cluster.py").run()
    assert_calm(bench)


def test_changing_the_last_step_leaves_the_ones_before_alone(bench, monkeypatch):
    ran = []
    real = cache.filtering.run_step

    def counted(step, *arguments):
        ran.append(step.filter)
        return real(step, *arguments)

    monkeypatch.setattr(cache.filtering, "run_step", counted)
    paste(bench, Pipeline([Step("median"), Step("invert"), Step("gaussian")]).to_json())
    assert ran == ["median", "invert", "gaussian"]
    ran.clear()
    last = bench.session_state["filters_chain"][2].number
    bench.number_input(key=f"filters_{last}_sigma_px").set_value(3.0).run()
    assert ran == ["gaussian"]


def test_a_slow_filter_on_a_large_frame_shows_a_part_first(app, monkeypatch):
    previews = []
    real = cache.filtering.filter_preview
    monkeypatch.setattr(
        cache, "filter_preview", lambda *given: previews.append(given) or real(*given)
    )
    rng = np.random.default_rng(0)
    upload(app, ("large.png", encode(rng.integers(0, 255, (520, 512), dtype=np.uint8))))
    app.switch_page("pages/3_Filters.py").run()
    assert not previews
    add(app, "total_variation")
    assert len(previews) == 1
    add(app, "invert")
    assert len(previews) == 1
    assert "Slow: a part is shown first" in texts(app)
    assert_calm(app)


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((1, 1), 7, np.uint8),
        np.arange(40, dtype=np.uint16).reshape(1, 40),
        np.full((30, 20), 9, np.uint16),
        np.array([[np.nan, 1.0, np.inf, 3.0]] * 9, np.float32),
    ],
)
def test_odd_images_are_survived_in_every_view(app, pixels):
    upload(app, ("odd.tif", save_tiff_bytes(Micrograph("odd", pixels))))
    app.switch_page("pages/3_Filters.py").run()
    for view in ("Slider", "Linked zoom", "Line profile", "Spectrum"):
        app.segmented_control(key="filters_view").set_value(view).run()
        assert_calm(app)


def test_a_line_says_its_length_and_a_spectrum_its_spacings(app):
    stripes = 128 + 60 * np.sin(2 * np.pi * np.arange(240) / 11.87)
    upload(app, ("stripes.png", encode(np.tile(stripes, (200, 1)).astype(np.uint8))))
    app.switch_page("pages/3_Filters.py").run()
    app.segmented_control(key="filters_view").set_value("Spectrum").run()
    assert_calm(app)
    assert "**d = 11.87 px**, 0.0°" in texts(app)
    app.segmented_control(key="filters_view").set_value("Line profile").run()
    for number, value in enumerate((100, 20, 60, 50)):
        app.number_input(key=f"filters_line_{number}").set_value(value).run()
    assert_calm(app)
    assert "Length **50 px** · 53.1°" in texts(app)
