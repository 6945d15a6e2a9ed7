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
    assert app.selectbox(key="cluster_more").value == "none"
    for kind, (metric, words) in KINDS.items():
        app.selectbox(key="cluster_more").set_value(kind).run()
        assert_calm(app)
        said = texts(app)
        has_metric = metric in [m.label for m in app.metric]
        assert has_metric or "No piece is long enough" in said, kind
        assert words in said or "No piece is long enough" in said, kind
        assert app.get("download_button")
