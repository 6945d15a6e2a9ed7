"""Panels that measure: sizes and fields, attribution, images as points."""

import numpy as np
import pandas as pd
import pytest

from core.imaging.overlays.finding import OverlayChoice, with_overlay_choice
from core.imaging.simulation.samples import simulate
from core.measuring.by_hand import Shape
from core.measuring.embedding import project_pca
from core.measuring.statistics.intervals import Interval
from core.micrograph import PixelSize
from core.ui.cluster.sizes import describe_area, summarise_fields
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, texts, upload


@pytest.fixture
def cluster_page(app, png, other_png):
    def load(count: int):
        extra = [
            (f"b_{n}.png", encode(simulate("dendrites", (96, 128), seed=n).micrograph.pixels))
            for n in range(max(0, count - 2))
        ]
        upload(app, *[("a_1.png", png), ("a_2.png", other_png), *extra][:count])
        return app.switch_page("pages/4_Cluster.py").run()

    return load


def frame(app, column):
    """The table with this heading."""
    return next(each.value for each in app.dataframe if column in each.value.columns)


def test_cluster_page_says_how_sure_the_area_is(cluster_page):
    app = cluster_page(1)
    assert_calm(app)
    said = texts(app)
    assert "tiles of this field again" in said
    assert "ASTM E562" in said
    assert "per megapixel" in said
    assert "Load more fields" in said
    whole = len(frame(app, "circularity"))
    app.toggle(key="cluster_split").set_value(True).run()
    assert len(frame(app, "circularity")) >= whole


def test_several_fields_have_a_mean_and_a_number_that_is_needed(cluster_page):
    app = cluster_page(4)
    app.toggle(key="cluster_fields").set_value(True).run()
    assert_calm(app)
    summary = frame(app, "needed")
    assert summary["fields"].tolist() == [4]
    assert summary["from (%)"][0] < summary["mean (%)"][0] < summary["to (%)"][0]
    assert int(summary["needed"][0]) > 4
    app.selectbox(key="cluster_fields_sample").set_value("name:1").run()
    assert frame(app, "needed")["sample"].tolist() == ["a", "b"]


@pytest.mark.parametrize(("name", "prefix"), [("4_Cluster", "cluster"), ("2_Explain", "explain")])
def test_evidence_is_shared_out_in_a_sentence(app, png, name, prefix):
    upload(app, ("a.png", png))
    app.switch_page(f"pages/{name}.py").run()
    app.toggle(key=f"{prefix}_attribution").set_value(True).run()
    assert_calm(app)
    said = texts(app)
    assert "of the evidence for" in said or "There is no evidence for" in said
    table = frame(app, "by chance")
    assert table["cluster"].tolist() == [0, 1, 2]
    assert table["area (%)"].sum() == pytest.approx(100)


@pytest.mark.parametrize("count", [2, 6])
def test_any_number_of_images_has_a_map(cluster_page, count):
    app = cluster_page(count)
    app.segmented_control(key="cluster_mode").set_value("images").run()
    app.segmented_control(key="cluster_map_method").set_value("tsne").run()
    assert_calm(app)
    said = texts(app)
    assert "a map needs at least two" not in said
    assert ("nothing to unfold" in said) == (count < 5)
    assert "Typical of each group" in said


def test_one_micrograph_gets_a_sentence_and_no_empty_map(cluster_page):
    app = cluster_page(1)
    app.segmented_control(key="cluster_mode").set_value("images").run()
    assert_calm(app)
    assert "a map needs at least two" in texts(app)
    assert not [each for each in app.segmented_control if each.key == "cluster_map_method"]


def test_texture_stands_in_for_a_network_and_copies_are_flagged(app, png):
    upload(app, ("a.png", png))
    pixels = simulate("spheroids", (192, 256), seed=3).micrograph.pixels
    upload(app, ("b.png", encode((pixels * 0.7).astype(np.uint8))))
    app.switch_page("pages/4_Cluster.py").run()
    app.segmented_control(key="cluster_mode").set_value("images").run()
    app.selectbox(key="cluster_map_described").set_value("").run()
    assert_calm(app)
    assert "**Near-duplicates (1)**" in texts(app)
    app.selectbox(key="cluster_map_image").set_value("b.png").run()
    assert frame(app, "similarity")["micrograph"].tolist() == ["a.png"]


def test_the_map_follows_a_corrected_info_bar(cluster_page, monkeypatch):
    """The plane was kept under the micrographs alone, whatever was left out of them."""
    seen = []

    def project(rows):
        seen.append(rows.copy())
        return project_pca(rows)

    monkeypatch.setattr("core.ui.cache.measuring.project_pca", project)
    app = cluster_page(3)
    app.segmented_control(key="cluster_mode").set_value("images").run()
    app.selectbox(key="cluster_map_described").set_value("").run()
    before = len(seen)
    store = app.session_state["workspace_micrographs"]
    first = next(iter(store))
    store[first] = with_overlay_choice(store[first], OverlayChoice(top_rows=40))
    app.run()
    assert_calm(app)
    assert len(seen) == before + 1
    assert not np.array_equal(seen[-1], seen[-2])


def test_a_micrograph_without_regions_is_a_valid_answer(app):
    upload(app, ("ramp.png", encode(np.tile(np.arange(128, dtype=np.uint8), (96, 1)))))
    app.switch_page("pages/4_Cluster.py").run()
    app.number_input(key="workspace_smallest_region_px").set_value(100_000).run()
    assert_calm(app)
    assert "No region is large enough." in texts(app)
    app.button(key="cluster_to_segment").click().run()
    assert_calm(app)
    assert "at least three different sizes" in texts(app)


def test_areas_are_said_in_units_where_the_scale_is_known():
    share = Interval(0.2, 0.1, 0.3, 64)
    said = describe_area(2, share, share, 1_000_000, PixelSize(2, "nm"))
    assert "0.8 µm² (0.4 µm² to 1.2 µm²)" in said
    assert "px" not in said


def test_a_single_field_has_no_interval():
    table = pd.DataFrame({"sample": ["a"], "area fraction (%)": [12.0]})
    row = summarise_fields(table, 0.1).iloc[0]
    assert row["mean (%)"] == 12
    assert np.isnan(row["from (%)"])
    assert row["needed"] == "–"


def test_leaving_out_cut_regions_leaves_their_number_per_area(cluster_page):
    app = cluster_page(1)
    density = next(each.value for each in app.markdown if "on the border count half" in each.value)
    before = next(each.value for each in app.caption if "mean equivalent diameter" in each.value)
    app.toggle(key="cluster_whole").set_value(True).run()
    assert_calm(app)
    assert density in [each.value for each in app.markdown]
    assert before not in [each.value for each in app.caption]


def test_the_scale_is_set_from_a_length_drawn_in_the_picture(app, png):
    upload(app, ("a.png", png))
    app.switch_page("pages/1_Classify.py").run()
    micrograph = next(iter(app.session_state["workspace_micrographs"].values()))
    sha256 = micrograph.sha256
    app.segmented_control(key=f"sidebar_way_{sha256}").set_value("Drawn length").run()
    assert "Draw a length along the scale bar first" in texts(app)
    ruler = Shape("ruler", ((10, 10), (10, 60)), "Length 1")
    app.session_state["viewer_shapes"] = {sha256: (ruler,)}
    app.run()
    app.number_input(key=f"drawn_length_{sha256}").set_value(100.0).run()
    app.button(key=f"drawn_set_{sha256}").click().run()
    assert_calm(app)
    changed = next(iter(app.session_state["workspace_micrographs"].values()))
    assert changed.pixel_size.to("nm") == pytest.approx(2)


def test_what_is_measured_by_hand_is_listed_and_can_be_removed(app, png):
    upload(app, ("a.png", png))
    app.switch_page("pages/1_Classify.py").run()
    micrograph = next(iter(app.session_state["workspace_micrographs"].values()))
    shapes = tuple(Shape("ruler", ((0, 0), (0, n)), f"Length {n}", n) for n in (3, 5))
    app.session_state["viewer_shapes"] = {micrograph.sha256: shapes}
    app.run()
    assert_calm(app)
    assert any(each.label == "Measured by hand (2)" for each in app.expander)
    means = next(d.value for d in app.dataframe if "sd" in d.value.columns)
    assert means["mean"].tolist() == [4]
    app.button(key="classify_viewer_by_hand_clear").click().run()
    assert app.session_state["viewer_shapes"][micrograph.sha256] == ()
    assert not any(each.label.startswith("Measured by hand") for each in app.expander)
