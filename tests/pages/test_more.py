"""Further measurements on Segment of what Cluster handed over."""

import pytest

from tests.pages.steps import assert_calm, texts, upload

KINDS = {
    "widths": ("Median width", "medial axis"),
    "between": ("Median width", "What lies between"),
    "grains": ("Mean intercept", "objects as grains"),
    "boundaries": ("Grain size number G", "grains between what is measured"),
    "gaps": ("Median gap", "edge to edge"),
    "correlation": ("Correlation length", "integral range"),
}


@pytest.fixture
def segment_page(app, png):
    upload(app, ("a.png", png))
    app.switch_page("pages/4_Cluster.py").run()
    app.button(key="cluster_to_segment").click().run()
    return app.switch_page("pages/5_Segment.py").run()  # to stay there at the next run


def test_each_measurement_says_its_numbers(segment_page):
    app = segment_page
    assert app.title[0].value == "Segment"
    assert not app.pills(key="measure_more").value
    for kind, (metric, words) in KINDS.items():
        app.pills(key="measure_more").set_value([kind]).run()
        assert_calm(app)
        said = texts(app)
        has_metric = metric in [m.label for m in app.metric]
        assert has_metric or "No piece is long enough" in said, kind
        assert words in said or "No piece is long enough" in said, kind
        assert app.get("download_button")


def test_several_measurements_are_one_setting_with_those_of_a_batch(segment_page):
    app = segment_page
    app.pills(key="measure_more").set_value(["gaps", "grains"]).run()
    assert_calm(app)
    assert {"Median gap", "Mean intercept"} <= {m.label for m in app.metric}
    app.segmented_control(key="cluster_sizes_by").set_value("volume").run()
    app.switch_page("pages/6_Batch_Report.py").run()
    assert_calm(app)
    assert app.pills(key="measure_more").value == ["gaps", "grains"]
    assert app.segmented_control(key="cluster_sizes_by").value == "volume"


def test_limits_that_contradict_each_other_are_a_sentence_on_the_batch_page(segment_page):
    app = segment_page.switch_page("pages/6_Batch_Report.py").run()
    app.number_input(key="cluster_circularity").set_value(0.9).run()
    app.number_input(key="cluster_circularity_to").set_value(0.5).run()
    assert not app.exception
    assert "No region can be measured" in " ".join(e.value for e in app.error)


def test_percentiles_are_by_number_area_or_volume(segment_page):
    app = segment_page
    middles = []
    for by in ("number", "area", "volume"):
        app.segmented_control(key="cluster_sizes_by").set_value(by).run()
        middles.append(float(next(m.value for m in app.metric if m.label == "D50").split()[0]))
        assert f"By {by}: 10, 50 and 90 %" in texts(app)
    assert middles == sorted(middles)
    assert "De Brouckere" in texts(app)


def test_area_and_number_per_area_are_said_with_their_intervals(segment_page):
    said = texts(segment_page)
    assert "tiles of this field again" in said
    assert "ASTM E562" in said
    assert "per megapixel" in said
    assert [m.label for m in segment_page.metric] == ["D10", "D50", "D90"]


@pytest.mark.parametrize("way", ["clusters", "particles"])
def test_evidence_is_shared_out_among_phases(segment_page, way):
    app = segment_page
    app.segmented_control(key="segment_way").set_value(way).run()
    if way == "clusters":
        app.text_input(key="segment_cluster_names").set_value("pore, solid, solid").run()
    app.toggle(key="segment_attribution").set_value(True).run()
    assert_calm(app)
    table = next(d.value for d in app.dataframe if "by chance" in d.value.columns)
    wanted = ["pore", "solid"] if way == "clusters" else ["particle", "ground"]
    assert table["phase"].tolist() == wanted
    assert table["area (%)"].sum() == pytest.approx(100)
    said = texts(app)
    assert "of the evidence for" in said or "There is no evidence for" in said
    assert "Which phase drove the decision?" in [s.value for s in app.subheader]


def test_limits_of_cluster_go_over_and_hold_for_every_way(segment_page):
    app = segment_page
    table = next(d.value for d in app.dataframe if "circularity" in d.value.columns)
    app.number_input(key="cluster_circularity").set_value(0.8).run()
    assert_calm(app)
    rounder = next(d.value for d in app.dataframe if "circularity" in d.value.columns)
    assert 0 < len(rounder) < len(table)
    assert rounder["circularity"].min() >= 0.8
    app.switch_page("pages/4_Cluster.py").run()
    assert app.number_input(key="cluster_circularity").value == 0.8
