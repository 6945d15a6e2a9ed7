"""A link carries page, samples and settings; what a stranger writes into one does no harm."""

from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from core.ui import links
from core.ui.link_settings import SETTINGS
from tests.pages.conftest import HOME
from tests.pages.steps import assert_calm, loaded_names, texts, upload

PAGES = ("1_Classify", "2_Explain", "3_Filters", "4_Cluster", "5_Batch_Report")
OTHER = {
    "leave-out": "no",
    "smallest": "25",
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
    "shown": "Target cluster",
    "batch-method": "hirescam",
    "batch-k": "2",
    "batch-group": "mixture",
    "batch-filters": "yes",
    "batch-border": "yes",
    "batch-sample": "name:1",
    "batch-class": "folder",
    "batch-pictures": "maps",
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
        if setting.name == "batch-pictures" or "features" in setting.name:
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
    app.switch_page("pages/5_Batch_Report.py").run()
    assert_calm(app)
    assert app.slider(key="batch_k").value == 2
    assert app.selectbox(key="batch_sample_from").value == "name:1"


def test_a_link_made_on_one_side_gives_the_same_on_the_other(app, monkeypatch):
    made: list[str] = []
    monkeypatch.setattr(links, "draw_copy", lambda: made.append(links.query()))
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
    monkeypatch.setattr(links, "draw_copy", lambda: made.append(links.query()))
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
    app.switch_page("pages/5_Batch_Report.py").run()
    app.slider(key="batch_k").set_value(5).run()
    app.switch_page("pages/4_Cluster.py").run()
    assert app.segmented_control(key="cluster_shown").value == "Target cluster"
    app.switch_page("pages/5_Batch_Report.py").run()
    assert app.slider(key="batch_k").value == 5
    app.switch_page("pages/4_Cluster.py").run()
    app.slider(key="cluster_k").set_value(6).run()
    app.switch_page("pages/5_Batch_Report.py").run()
    assert app.slider(key="batch_k").value == 6
    app.switch_page("pages/2_Explain.py").run()
    assert app.slider(key="explain_opacity").value == 25
