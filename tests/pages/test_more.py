"""Further measurements of the target cluster on the Cluster page."""

import pytest

from tests.pages.steps import assert_calm, texts, upload

KINDS = {
    "widths": ("Median width", "medial axis"),
    "between": ("Median width", "What lies between"),
    "grains": ("Mean intercept", "regions as grains"),
    "boundaries": ("Grain size number G", "between the cluster"),
    "gaps": ("Median gap", "edge to edge"),
    "correlation": ("Correlation length", "integral range"),
}


@pytest.fixture
def cluster_page(app, png):
    upload(app, ("a.png", png))
    return app.switch_page("pages/4_Cluster.py").run()


def test_each_measurement_says_its_numbers(cluster_page):
    app = cluster_page
    assert not app.pills(key="measure_more").value
    for kind, (metric, words) in KINDS.items():
        app.pills(key="measure_more").set_value([kind]).run()
        assert_calm(app)
        said = texts(app)
        has_metric = metric in [m.label for m in app.metric]
        assert has_metric or "No piece is long enough" in said, kind
        assert words in said or "No piece is long enough" in said, kind
        assert app.get("download_button")


def test_several_measurements_are_one_setting_with_those_of_a_batch(cluster_page):
    app = cluster_page
    app.pills(key="measure_more").set_value(["gaps", "grains"]).run()
    assert_calm(app)
    assert {"Median gap", "Mean intercept"} <= {m.label for m in app.metric}
    app.segmented_control(key="cluster_sizes_by").set_value("volume").run()
    app.switch_page("pages/6_Batch_Report.py").run()
    assert_calm(app)
    assert app.pills(key="measure_more").value == ["gaps", "grains"]
    assert app.segmented_control(key="cluster_sizes_by").value == "volume"


def test_limits_that_contradict_each_other_are_a_sentence_on_the_batch_page(cluster_page):
    app = cluster_page.switch_page("pages/6_Batch_Report.py").run()
    app.number_input(key="cluster_circularity").set_value(0.9).run()
    app.number_input(key="cluster_circularity_to").set_value(0.5).run()
    assert not app.exception
    assert "No region can be measured" in " ".join(e.value for e in app.error)
