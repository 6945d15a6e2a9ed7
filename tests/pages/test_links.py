"""A link carries page, samples and settings; what a stranger writes into one does no harm."""

from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from core.ui.page import rooms
from core.ui.page.links import address
from tests.pages.conftest import HOME
from tests.pages.steps import assert_calm, finish_batch, loaded_names, texts, upload

SETTINGS = rooms.every()
PAGES = (
    "1_Classify",
    "2_Explain",
    "3_Filters",
    "4_Cluster",
    "5_Segment",
    "6_Batch_Report",
    "7_Train",
    "8_Compare",
)
OTHER = {
    "leave-out": "no",
    "smallest": "25",
    "batch-scale": "read",
    "smallest-nm": "12.5",
    "level": "80",
    "tile-map": "yes",
    "all": "yes",
    "method": "score-cam",
    "every-channel": "yes",
    "tiled": "yes",
    "opacity": "0",
    "colours": "viridis",
    "contour": "95",
    "section": "values",
    "view": "Linked zoom",
    "group": "features",
    "k": "12",
    "features": "intensity~position",
    "grouping": "mixture",
    "scales": "0.5~16",
    "window": "31",
    "seed": "9999",
    "smoothing": "majority",
    "radius": "10",
    "side": "60",
    "split": "yes",
    "neck": "2.5",
    "fill-holes": "yes",
    "corners": "no",
    "sigma": "2.0",
    "whole": "yes",
    "largest": "90",
    "largest-nm": "900",
    "circularity": "0.25",
    "circularity-to": "0.9",
    "aspect": "1.2",
    "aspect-to": "4",
    "shown": "Target cluster",
    "batch-method": "hirescam",
    "batch-k": "2",
    "batch-group": "mixture",
    "batch-filters": "yes",
    "batch-border": "yes",
    "batch-sample": "name:1",
    "batch-class": "folder",
    "more": "widths",
    "sizes-by": "volume",
    "batch-pictures": "maps",
    "batch-twins": "20",
    "train-groups": "name",
    "segment-way": "clusters",
    "segment-threshold": "li",
    "segment-sigma": "2.5",
    "segment-flatten": "yes",
    "segment-side": "dark",
    "segment-k": "5",
    "segment-preview": "yes",
    "segment-every": "no",
    "segment-everything": "yes",
    "segment-split": "no",
    "segment-neck": "2.5",
    "segment-fill": "yes",
    "segment-whole": "yes",
}


def open_link(query: str) -> AppTest:
    """Open an address in a new session, as a browser does."""
    app = AppTest.from_file(str(HOME), default_timeout=120)
    for name, text in parse_qsl(query, keep_blank_values=True):
        app.query_params[name] = text
    return app.run()


def test_every_setting_of_the_table_is_tried_here():
    assert {s.name for s in SETTINGS if "target-" not in s.name} == set(OTHER)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_a_setting_reads_what_it_wrote(setting):
    text = OTHER.get(setting.name, "0")
    assert setting.write(setting.read(text)) == text
    if setting.default not in (None, ""):
        assert setting.read(setting.write(setting.default)) == setting.default
    for hostile in ("", "<script>", "-1", "1e9", "99999999", "../..", "nan", "yes~yes", "٣"):
        if setting.name in ("more", "batch-pictures") or "features" in setting.name:
            continue
        if hostile == "" and setting.name in ("batch-sample", "batch-class", "scales"):
            continue
        with pytest.raises(ValueError):  # noqa: PT011
            setting.read(hostile)


def test_pages_show_what_a_link_set():
    query = "&".join(["link=1", "samples=alloys-0", *(f"{n}={v}" for n, v in OTHER.items())])
    app = open_link(query)
    assert f"1 sample and {len(OTHER)} settings" in texts(app)
    assert not app.query_params.get("opacity")
    app.switch_page("pages/2_Explain.py").run()
    assert_calm(app)
    assert app.slider(key="explain_opacity").value == 0
    assert app.selectbox(key="explain_method").value == "score-cam"
    app.switch_page("pages/4_Cluster.py").run()
    assert_calm(app)
    assert app.slider(key="cluster_k").value == 12
    assert app.pills(key="cluster_scales").value == [0.5, 16.0]
    app.switch_page("pages/6_Batch_Report.py").run()
    assert_calm(app)
    assert app.slider(key="batch_k").value == 2
    assert app.selectbox(key="batch_sample_from").value == "name:1"


def test_a_link_made_on_one_side_gives_the_same_on_the_other(app, monkeypatch):
    made: list[str] = []
    monkeypatch.setattr(address, "draw_copy", lambda: made.append(address.query()))
    app.button(key="home_sample_alloys").click().run()
    app.button(key="home_sample_spheroids").click().run()
    app.selectbox(key="sidebar_micrograph").select_index(0).run()
    app.switch_page("pages/3_Filters.py").run()
    app.selectbox(key="filters_next").set_value("median").run()
    app.switch_page("pages/4_Cluster.py").run()
    app.slider(key="cluster_k").set_value(4).run()
    app.selectbox(key="cluster_target_4").set_value(1).run()
    there = open_link(made[-1])
    assert loaded_names(there) == ["simulated alloys 1", "simulated spheroids 1"]
    assert there.session_state["workspace_current"] == app.session_state["workspace_current"]
    for page in PAGES:
        there.switch_page(f"pages/{page}.py").run()
        assert_calm(there)
    assert there.session_state["cluster_target_4"] == 1
    assert [link.filter for link in there.session_state["filters_chain"]] == ["gaussian", "median"]


def test_a_link_from_a_file_says_what_is_missing(app, png, monkeypatch):
    made: list[str] = []
    monkeypatch.setattr(address, "draw_copy", lambda: made.append(address.query()))
    upload(app, ("secret name.png", png))
    app.switch_page("pages/4_Cluster.py").run()
    assert "secret" not in made[-1]
    there = open_link(made[-1])
    assert "It was made with a file, which no link carries" in texts(there)


@pytest.mark.parametrize(
    "query",
    [
        "link=1&k=999&opacity=%3Cscript%3E&model=../../etc&chain=%5B%5D&class=&nonsense=1",
        "samples=alloys-0.evil-1.dendrites-9999&files=-1",
        "utm_source=mail",
        "link=1&chain=" + "%7B%22steps%22%3A" * 400,
    ],
)
def test_hostile_addresses_cost_one_sentence(query):
    app = open_link(query)
    assert_calm(app)
    assert len(app.info) == 1
    assert "of the address w" in app.info[0].value
    assert "not understood" in app.info[0].value
    app.switch_page("pages/4_Cluster.py").run()
    assert not app.exception


def test_choices_hold_on_the_way_back(open_page):
    app = open_page("4_Cluster")
    app.button(key="start_sample_alloys").click().run()
    app.segmented_control(key="cluster_shown").set_value("Target cluster").run()
    app.switch_page("pages/2_Explain.py").run()
    app.slider(key="explain_opacity").set_value(25).run()
    app.switch_page("pages/6_Batch_Report.py").run()
    app.slider(key="batch_k").set_value(5).run()
    app.switch_page("pages/4_Cluster.py").run()
    assert app.segmented_control(key="cluster_shown").value == "Target cluster"
    app.switch_page("pages/6_Batch_Report.py").run()
    assert app.slider(key="batch_k").value == 5
    app.switch_page("pages/4_Cluster.py").run()
    app.slider(key="cluster_k").set_value(6).run()
    app.switch_page("pages/6_Batch_Report.py").run()
    assert app.slider(key="batch_k").value == 6
    app.switch_page("pages/2_Explain.py").run()
    assert app.slider(key="explain_opacity").value == 25


def test_a_link_keeps_what_was_set_for_its_sample(app, monkeypatch):
    made: list[str] = []
    monkeypatch.setattr(address, "draw_copy", lambda: made.append(address.query()))
    app.button(key="home_sample_alloys").click().run()
    sha256 = app.session_state["workspace_current"]
    app.number_input(key=f"sidebar_scale_{sha256}").set_value(1.7).run()
    app.switch_page("pages/2_Explain.py").run()
    app.selectbox(key="explain_method").set_value("finer-cam").run()
    other = app.selectbox(key=f"explain_contrast_{sha256}").options[-1]
    app.selectbox(key=f"explain_contrast_{sha256}").select(other).run()
    contrast = app.selectbox(key=f"explain_contrast_{sha256}").value
    app.switch_page("pages/4_Cluster.py").run()
    app.segmented_control(key="cluster_region_way").set_value("Typed").run()
    app.number_input(key=f"cluster_top_{sha256}").set_value(100).run()
    app.number_input(key=f"cluster_right_{sha256}").set_value(499).run()
    there = open_link(made[-1])
    there.switch_page("pages/4_Cluster.py").run()
    assert_calm(there)
    assert there.number_input(key=f"cluster_top_{sha256}").value == 100
    assert there.number_input(key=f"cluster_right_{sha256}").value == 499
    assert there.metric[1].value == app.metric[1].value
    assert there.number_input(key=f"sidebar_scale_{sha256}").value == 1.7
    there.switch_page("pages/2_Explain.py").run()
    assert_calm(there)
    assert there.selectbox(key=f"explain_contrast_{sha256}").value == contrast


@pytest.mark.parametrize("region", ["Box~10~20~300.5~400", "Lasso~10~10~10~300~300~-2.5"])
def test_a_drawn_region_travels(region, monkeypatch):
    made: list[str] = []
    monkeypatch.setattr(address, "draw_copy", lambda: made.append(address.query()))
    app = open_link(f"link=1&samples=alloys-0&region={region}")
    assert "not understood" not in texts(app)
    app.switch_page("pages/4_Cluster.py").run()
    assert_calm(app)
    assert dict(parse_qsl(made[-1]))["region"] == region


@pytest.mark.parametrize(
    "part",
    [
        "region=Box~1~2~3",
        "region=Box~1~2~nan~4",
        "region=Box~5000~5000~6000~6000",
        "region=Lasso" + "~1~1" * 500,
        "region=Typed~0~0~5000~5",
        "region=Typed~0.5~0~9~9",
        "region=Circle~0~0~9~9",
        "pixel-size=0",
        "pixel-size=inf",
        "pixel-size=9999999",
        "pixel-size=-1",
        "rather-than=<script>",
    ],
)
def test_a_hostile_word_about_the_sample_costs_one_sentence(part):
    app = open_link(f"link=1&samples=alloys-0&{part}")
    assert_calm(app)
    assert "1 part of the address was not understood" in texts(app)


def test_an_unknown_class_of_a_link_falls_back_to_the_answer():
    app = open_link("link=1&samples=alloys-0&class=unicorns&rather-than=unicorns&method=finer-cam")
    app.switch_page("pages/2_Explain.py").run()
    assert_calm(app)
    assert "unicorns" not in texts(app)


def test_what_a_link_says_of_clusters_reaches_the_batch():
    said = "group=features&features=intensity~position&seed=5&k=4&smoothing=majority&radius=4"
    app = open_link(f"link=1&samples=alloys-0&{said}&method=hirescam&leave-out=no")
    app.switch_page("pages/6_Batch_Report.py").run()
    recipe = finish_batch(app).session_state["batch_run"].result.recipe
    assert (recipe.clustering, recipe.clusters, recipe.cluster_seed) == ("features", 4, 5)
    assert recipe.features.chosen == ("intensity", "position")
    assert (recipe.smoothing.kind, recipe.smoothing.radius_px) == ("majority", 4)
    assert (recipe.method, recipe.exclude_overlays) == ("hirescam", False)


def test_cut_regions_left_out_on_cluster_are_left_out_of_a_batch():
    app = open_link("link=1&samples=alloys-0&whole=yes")
    app.switch_page("pages/6_Batch_Report.py").run()
    assert_calm(app)
    assert app.toggle(key="batch_drop_border").value is True
    app.toggle(key="batch_drop_border").set_value(False).run()
    assert app.toggle(key="batch_drop_border").value is False
