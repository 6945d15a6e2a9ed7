"""The Cluster page: what is grouped, by what, where, and what it tells of its choices."""

import numpy as np
import pytest

from core.imaging.simulation.samples import simulate
from core.measuring.by_hand import Shape
from core.ui.cluster.region_picker import corners_of
from core.ui.shell import region
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, texts, upload
from tests.unit.measuring.twins.test_twins import discs


@pytest.fixture
def cluster_page(app, png):
    upload(app, ("a.png", png))
    return app.switch_page("pages/4_Cluster.py").run()


@pytest.fixture
def by_features(cluster_page):
    cluster_page.segmented_control(key="cluster_mode").set_value("features").run()
    return cluster_page


def legend(app):
    return next(d.value for d in app.dataframe if "share (%)" in d.value.columns)


def test_the_table_of_clusters_counts_regions_too(cluster_page):
    table = legend(cluster_page)
    assert table["share (%)"].sum() == pytest.approx(100)
    assert table["mean grey"].is_monotonic_increasing
    assert (table["regions"] >= 0).all()


def test_features_group_pixels_in_another_way(cluster_page):
    grey = legend(cluster_page)["share (%)"].tolist()
    cluster_page.segmented_control(key="cluster_mode").set_value("features").run()
    assert_calm(cluster_page)
    table = legend(cluster_page)
    assert table["share (%)"].tolist() != grey
    assert table["share (%)"].sum() == pytest.approx(100)
    cluster_page.number_input(key="cluster_seed").set_value(7).run()
    assert_calm(cluster_page)


def test_features_are_chosen_and_shown(by_features):
    by_features.pills(key="cluster_families").set_value(["texture"]).run()
    by_features.toggle(key="cluster_features_shown").set_value(True).run()
    assert_calm(by_features)
    shown = [picture.proto.imgs[0].caption for picture in by_features.get("image")]
    assert shown == ["deviation 9 px", "contrast 9 px", "homogeneity 9 px"]
    by_features.pills(key="cluster_families").set_value([]).run()
    assert not by_features.exception
    (said,) = (error.value for error in by_features.error)
    assert "No feature is chosen" in said


def test_a_mixture_has_soft_maps(by_features):
    assert not [t for t in by_features.toggle if t.key == "cluster_soft_shown"]
    by_features.selectbox(key="cluster_method").set_value("mixture").run()
    by_features.toggle(key="cluster_soft_shown").set_value(True).run()
    assert_calm(by_features)
    assert "black nothing, white all" in texts(by_features)


@pytest.mark.parametrize("kind", ["majority", "superpixels"])
def test_smoothing_tells_what_it_did(cluster_page, kind):
    cluster_page.selectbox(key="cluster_smoothing").set_value(kind).run()
    assert_calm(cluster_page)
    assert "of the pixels to another cluster" in texts(cluster_page)
    effect = next(d.value for d in cluster_page.dataframe if "points" in d.value.columns)
    assert effect["points"].sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("mode", ["grey", "features"])
def test_help_with_the_number_suggests_one_that_can_be_taken(cluster_page, mode):
    cluster_page.slider(key="cluster_k").set_value(7).run()
    cluster_page.segmented_control(key="cluster_mode").set_value(mode).run()
    cluster_page.toggle(key="cluster_help").set_value(True).run()
    cluster_page.toggle(key="cluster_bands").set_value(True).run()
    assert_calm(cluster_page)
    button = cluster_page.button(key="cluster_use_k")
    button.click().run()
    assert_calm(cluster_page)
    assert button.label == f"Use {cluster_page.slider(key='cluster_k').value} clusters"


def test_a_typed_box_counts_alone(cluster_page):
    cluster_page.segmented_control(key="cluster_region_way").set_value("Typed").run()
    assert_calm(cluster_page)
    whole = legend(cluster_page)["share (%)"].tolist()
    rows = next(n for n in cluster_page.number_input if n.label == "Bottom row")
    rows.set_value(20).run()
    assert_calm(cluster_page)
    assert "of the frame that is used" in texts(cluster_page)
    assert legend(cluster_page)["share (%)"].tolist() != whole


def test_until_something_is_drawn_the_whole_frame_counts(cluster_page):
    before = legend(cluster_page)["share (%)"].tolist()
    cluster_page.segmented_control(key="cluster_region_way").set_value("Lasso").run()
    assert_calm(cluster_page)
    assert "until then the whole frame counts" in texts(cluster_page)
    assert legend(cluster_page)["share (%)"].tolist() == before


def test_the_shape_drawn_last_becomes_the_region():
    first, last = Shape("rectangle", ((1, 1), (2, 2))), Shape("rectangle", ((4.04, 3.26), (8, 10)))
    lasso = Shape("lasso", tuple((5.0, float(x)) for x in range(2000)))
    shapes = (first, last, lasso, Shape("ruler", ((0, 0), (1, 1))))
    assert corners_of(shapes, region.BOX) == ((4.0, 3.3), (8.0, 10.0))
    assert len(corners_of(shapes, region.LASSO)) == 400
    assert corners_of(shapes, region.TYPED) == ()
    assert corners_of(shapes[:1], region.LASSO) == ()
    assert corners_of((), region.BOX) == ()


def test_a_box_drawn_in_the_picture_counts_alone(cluster_page):
    cluster_page.segmented_control(key="cluster_region_way").set_value(region.BOX).run()
    whole = legend(cluster_page)["share (%)"].tolist()
    micrograph = next(iter(cluster_page.session_state["workspace_micrographs"].values()))
    cluster_page.session_state["cluster_region_corners"] = {micrograph.sha256: ((0, 0), (20, 30))}
    cluster_page.run()
    assert_calm(cluster_page)
    assert "of the frame that is used" in texts(cluster_page)
    assert legend(cluster_page)["share (%)"].tolist() != whole
    next(b for b in cluster_page.button if b.label == "Use the whole frame").click().run()
    assert legend(cluster_page)["share (%)"].tolist() == whole


def test_a_region_clicked_in_the_picture_is_marked_in_the_table(cluster_page):
    assert "outlined regions" in texts(cluster_page)
    cluster_page.session_state["cluster_region_chosen"] = 1  # as `picking.click` leaves it
    cluster_page.session_state["cluster_region_turn"] += 1
    cluster_page.run()
    assert_calm(cluster_page)
    assert "**Region 1**" in texts(cluster_page)


@pytest.mark.parametrize("mode", ["grey", "features"])
@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("flat.png", np.full((64, 80), 9, np.uint8)),
        ("dot.png", np.zeros((1, 1), np.uint8)),
        ("two.png", np.eye(48, dtype=np.uint8) * 255),
        ("deep.png", simulate("alloys", (96, 128), seed=0).micrograph.pixels),
    ],
)
def test_odd_images_get_a_sentence_or_an_answer(app, name, pixels, mode):
    upload(app, (name, encode(pixels)))
    app.switch_page("pages/4_Cluster.py").run()
    app.segmented_control(key="cluster_mode").set_value(mode).run()
    app.toggle(key="cluster_help").set_value(True).run() if not app.error else None
    assert not app.exception
    assert len(app.error) <= 1


def test_choices_outlive_a_change_of_page(by_features):
    by_features.selectbox(key="cluster_smoothing").set_value("majority").run()
    by_features.switch_page("pages/3_Filters.py").run()
    by_features.switch_page("pages/4_Cluster.py").run()
    assert_calm(by_features)
    assert by_features.segmented_control(key="cluster_mode").value == "features"
    assert by_features.selectbox(key="cluster_smoothing").value == "majority"


def _discs(*, noise: float, dark: bool = False) -> bytes:
    """Nine discs of 24 px on a ground of 180 x 180 px."""
    rows, cols = np.mgrid[:180, :180]
    mask = np.hypot((rows % 60) - 30, (cols % 60) - 30) < 12
    grey = (190 - 70.0 * mask) if dark else (80 + 70.0 * mask)
    grey = grey + noise * np.random.default_rng(3).normal(size=mask.shape)
    return encode(np.clip(np.rint(grey), 0, 255).astype(np.uint8))


def _open(app, picture):
    upload(app, ("field.png", picture))
    app.switch_page("pages/4_Cluster.py").run()
    app.slider(key="cluster_k").set_value(2).run()
    assert_calm(app)
    return app


def test_noise_is_averaged_by_itself_and_can_be_taken_back(app):
    _open(app, _discs(noise=32))
    assert "Noise would make regions of its own" in texts(app)
    assert "\n9 regions" in texts(app)
    app.button(key="cluster_as_found").click().run()
    assert_calm(app)
    assert app.selectbox(key="cluster_smoothing").value == "none"
    assert "\n9 regions" not in texts(app)


def test_a_clean_frame_is_left_as_found(app):
    _open(app, _discs(noise=2))
    assert "they are as found" in texts(app)
    assert "9 regions" in texts(app)


def test_dark_particles_are_measured_and_not_their_bright_ground(app):
    _open(app, _discs(noise=2, dark=True))
    assert "is measured:** it stands out" in texts(app)
    assert "9 regions" in texts(app)
    app.button(key="cluster_other_target").click().run()
    assert_calm(app)
    assert app.selectbox(key="cluster_target_2").value == 1
    assert "it stands out" not in texts(app)


def test_only_regions_within_the_limits_are_measured(app):
    _open(app, _discs(noise=2))
    app.number_input(key="cluster_largest").set_value(20.0).run()
    assert_calm(app)
    assert "No region is large enough" in texts(app)
    app.number_input(key="cluster_largest").set_value(0.0).run()
    app.number_input(key="cluster_circularity").set_value(0.95).run()
    app.number_input(key="cluster_circularity_to").set_value(0.5).run()
    assert "No region can be measured" in app.error[0].value


def test_what_is_measured_of_regions_is_one_click_away(app):
    _open(app, _discs(noise=2))
    app.button(key="cluster_to_segment").click().run()
    app.switch_page("pages/5_Segment.py").run()  # to stay there at the next run
    assert "D[3,2] = " in texts(app)
    assert "(De Brouckere)" in texts(app)
    app.segmented_control(key="cluster_sizes_by").set_value("volume").run()
    assert_calm(app)
    assert "of the volume of all objects is in smaller ones" in texts(app)
    assert "stay within a tenth when it is doubled" in texts(app)


def test_look_alikes_say_how_wrong_the_regions_are_and_what_neighbours_of_the_settings_are(app):
    upload(app, ("discs.png", encode(discs()[0].pixels)))
    app.session_state["cluster_trial"] = app.session_state["cluster_trial_others"] = True
    app.session_state["cluster_k"] = 2
    cluster_page = app.switch_page("pages/4_Cluster.py").run(timeout=240)
    assert_calm(cluster_page)
    rows = next(d.value for d in cluster_page.dataframe if "corrected by simulation" in d.value)
    assert (
        rows.loc[rows["quantity"] == "objects", "measured"].item()
        == legend(cluster_page)["regions"].max()
    )
    others = next(d.value for d in cluster_page.dataframe if "setting" in d.value)
    assert "3 clusters" in others["setting"].tolist()
    assert "neighbours’ vote" in others["setting"].tolist()
    assert np.isfinite(others["count error (%)"]).all()
