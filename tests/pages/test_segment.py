"""The Segment page: ways to objects, a hand that mends them, and the numbers that follow."""

import numpy as np
import pytest

from core.imaging.simulation.samples import simulate
from core.measuring.by_hand import Shape
from core.measuring.exchange import labels_tiff
from core.measuring.segmentation import Edit
from core.ui.parts import viewer
from core.ui.segment import hand
from tests.pages.conftest import encode
from tests.pages.steps import assert_calm, finish_batch, texts, upload
from tests.unit.measuring.twins.test_twins import discs

PAGE = "pages/5_Segment.py"


@pytest.fixture
def segment_page(app, png):
    upload(app, ("a.png", png))
    app.session_state["segment_way"] = "chain"
    return app.switch_page(PAGE).run()


def count(app) -> int:
    said = next(m.value for m in app.markdown if m.value.startswith("### "))
    return int(said.removeprefix("### ").split()[0])


def table(app):
    return next(d.value for d in app.dataframe if "circularity" in d.value.columns)


def current(app):
    return next(iter(app.session_state["workspace_micrographs"].values()))


def place_of(app, row: int) -> tuple[int, int]:
    found = table(app).iloc[row]
    return round(found["centroid row (px)"]), round(found["centroid col (px)"])


def edit(app, *edits: Edit) -> None:
    history = hand.History(tuple(edits))
    app.session_state["segment_history"] = {current(app).sha256: history}
    app.run()


def test_the_first_sight_is_one_answer(segment_page):
    assert_calm(segment_page)
    assert count(segment_page) == len(table(segment_page)) > 5
    said = texts(segment_page)
    assert "D50 = " in said
    assert "“particle” covers **" in said


def test_particles_are_found_without_a_setting(app, png):
    upload(app, ("a.png", png))
    app.switch_page(PAGE).run()
    assert_calm(app)
    way = "particles"
    assert app.segmented_control(key="segment_way").value == way
    assert count(app) > 0
    assert "Found by threshold and shape" in texts(app)  # no network among the test models
    place = place_of(app, 0)
    edit(app, Edit("delete", (place,)))
    assert "1 outline was removed by hand" in texts(app)


def test_what_a_hand_changed_goes_into_a_batch_and_its_report(segment_page):
    app = segment_page
    edit(app, Edit("delete", (place_of(app, 1),)))
    app.switch_page("pages/6_Batch_Report.py").run()
    app.button(key="batch_use_segment").click().run()
    assert_calm(app)
    assert app.segmented_control(key="batch_recipe_origin").value == "Segment’s"
    assert "changed by hand on 1 micrograph" in texts(app)
    finish_batch(app)
    assert_calm(app)
    run = app.session_state["batch_run"]
    assert run.result.recipe.segmentation.way == "threshold"
    assert run.result.rows["outlines_removed_by_hand"].tolist() == [1]
    assert "1 outline was removed by hand" in texts(app)
    assert "1 outline was removed by hand" in run.report.read_text(encoding="utf-8")


def test_a_deleted_object_is_gone_and_comes_back(segment_page):
    before = count(segment_page)
    edit(segment_page, Edit("delete", (place_of(segment_page, 1),)))
    assert_calm(segment_page)
    assert count(segment_page) == before - 1
    assert f"1 outline was removed by hand, {before - 1} are left" in texts(segment_page)
    segment_page.button(key="segment_undo").click().run()
    assert count(segment_page) == before
    segment_page.button(key="segment_redo").click().run()
    assert count(segment_page) == before - 1


def test_edits_survive_a_change_of_page_and_of_settings(segment_page):
    edit(segment_page, Edit("delete", (place_of(segment_page, 1),)), Edit("delete", ((0, 0),)))
    after = count(segment_page)
    assert "1 of 2 edits did not fit here" in str([e.label for e in segment_page.expander])
    said = [each.value for each in segment_page.caption if "no object lies there" in each.value]
    assert len(said) == 2, "beside the hand, and in the list"
    segment_page.switch_page("pages/3_Filters.py").run()
    segment_page.switch_page(PAGE).run()
    assert_calm(segment_page)
    assert count(segment_page) == after
    segment_page.selectbox(key="segment_threshold").set_value("li").run()
    assert_calm(segment_page)
    assert "removed" in texts(segment_page)


def test_strokes_become_phases(segment_page):
    segment_page.segmented_control(key="segment_way").set_value("strokes").run()
    assert_calm(segment_page)
    assert "Paint a few strokes" in texts(segment_page)
    micrograph = current(segment_page)
    level = np.median(micrograph.pixels)
    bright = np.argwhere(micrograph.pixels > np.percentile(micrograph.pixels, 97))[::40]
    dark = np.argwhere(micrograph.pixels < level)[::900]
    drawn = [
        Shape("brush", (tuple(map(float, at)),), number=n, phase=phase, width_px=5)
        for n, (phase, at) in enumerate(
            [*((1, at) for at in bright[:5]), *((2, at) for at in dark[:5])], 1
        )
    ]
    segment_page.session_state["viewer_shapes"] = {micrograph.sha256: tuple(drawn)}
    segment_page.run()
    assert_calm(segment_page)
    shares = next(d.value for d in segment_page.dataframe if "share (%)" in d.value.columns)
    assert shares["phase"].tolist() == ["particle", "ground"]
    assert shares["share (%)"].sum() == pytest.approx(100, abs=0.1)
    assert "10 strokes on this micrograph: 5 particle, 5 ground" in texts(segment_page)
    segment_page.toggle(key="segment_strokes_checked").set_value(True).run()
    assert_calm(segment_page)
    assert "are told rightly" in texts(segment_page)
    assert "the painted micrographs" not in texts(segment_page)
    noise = np.random.default_rng(0).integers(0, 255, (160, 160), np.uint8)
    upload(segment_page.switch_page("Home.py").run(), ("noise.png", encode(noise)))
    chosen = segment_page.session_state["workspace_micrographs"]
    other = next(key for key, each in chosen.items() if each.name == "noise.png")
    segment_page.session_state["workspace_current"] = other
    segment_page.switch_page(PAGE).run()
    assert_calm(segment_page)
    assert "Unlike the painted micrographs: " in texts(segment_page)


def test_clusters_are_merged_by_name(segment_page):
    segment_page.segmented_control(key="segment_way").set_value("clusters").run()
    assert_calm(segment_page)
    segment_page.text_input(key="segment_cluster_names").set_value("pore, solid, solid").run()
    assert_calm(segment_page)
    shares = next(d.value for d in segment_page.dataframe if "share (%)" in d.value.columns)
    assert shares["phase"].tolist() == ["pore", "solid"]
    segment_page.segmented_control(key="segment_phase").set_value("pore").run()
    assert "“pore” covers" in texts(segment_page)


def test_a_label_file_is_measured_and_a_wrong_one_is_a_sentence(segment_page):
    segment_page.segmented_control(key="segment_way").set_value("file").run()
    assert "Give a label image" in texts(segment_page)
    labels = np.zeros(current(segment_page).shape, np.int32)
    labels[10:30, 10:30], labels[50:80, 60:90] = 1, 2
    segment_page.file_uploader(key="segment_file_0").upload("l.tif", labels_tiff(labels)).run()
    assert_calm(segment_page)
    assert count(segment_page) == 2
    wrong = labels_tiff(labels[:20])
    segment_page.file_uploader(key="segment_file_1").upload("w.tif", wrong).run()
    assert "256 × 20 pixels" in segment_page.error[0].value
    assert count(segment_page) == 2


def test_a_chain_without_a_threshold_is_a_sentence(segment_page):
    segment_page.selectbox(key="segment_threshold").set_value("chain").run()
    assert "does not end in a threshold" in segment_page.error[0].value
    assert not segment_page.exception


@pytest.mark.parametrize("pixels", [np.full((60, 80), 9, np.uint8), np.eye(3, dtype=np.uint8)])
def test_odd_frames_get_an_answer_or_a_sentence(app, pixels):
    upload(app, ("odd.png", encode(pixels)))
    app.switch_page(PAGE).run()
    assert not app.exception


def test_what_a_click_and_a_line_mean(monkeypatch):
    state = {}
    monkeypatch.setattr(hand.st, "session_state", state)
    micrograph = simulate("spheroids", shape=(64, 64), seed=1).micrograph
    labels = np.zeros((64, 64), np.int32)
    labels[5:15, 5:15], labels[5:15, 15:25] = 1, 2
    from core.measuring.segmentation import from_objects

    found = from_objects(labels, micrograph)
    hand.click(micrograph, hand.MERGE, viewer.Click(8, 8, 1), lambda: found)
    assert hand.history(micrograph).done == ()
    hand.click(micrograph, hand.MERGE, viewer.Click(8, 20, 2), lambda: found)
    hand.click(micrograph, hand.DELETE, viewer.Click(40, 40, 0), lambda: found)
    hand.click(micrograph, hand.DELETE, viewer.Click(8, 20, 2), lambda: found)
    hand.click(micrograph, hand.GROW, viewer.Click(40, 40, 0), lambda: found)
    line = Shape("ruler", ((8.0, 2.0), (8.0, 28.0)), number=7)
    assert hand.take(micrograph, hand.CUT, (line,), lambda: found)
    assert not hand.take(micrograph, hand.SELECT, (line,), lambda: found)
    kinds = [each.kind for each in hand.history(micrograph).done]
    assert kinds == ["merge", "delete", "grow", "cut"]
    assert viewer.kept.shapes(micrograph) == ()


def test_edits_travel_with_a_study(monkeypatch):
    from core.ui.page import studies

    state = {}
    monkeypatch.setattr(hand.st, "session_state", state)
    micrograph = simulate("spheroids", shape=(64, 64), seed=1).micrograph
    edits = (Edit("delete", ((8.0, 8.0),), area_px=(50.0,)), Edit("fill"))
    for each in edits:
        hand.add(micrograph, each)
    notes = studies._notes(micrograph)
    state.clear()
    studies._say_of(micrograph.sha256, "", notes)
    assert hand.history(micrograph).done == edits
    state.clear()
    for hostile in ("x", [{"kind": "explode"}], [3], {"a": 1}):
        studies._say_of(micrograph.sha256, "", {"edits": hostile})
        assert hand.history(micrograph).done == ()


def test_limits_and_downloads(segment_page):
    before = count(segment_page)
    segment_page.number_input(key="segment_least_px").set_value(12.0).run()
    segment_page.button(key="segment_keep").click().run()
    assert_calm(segment_page)
    assert count(segment_page) <= before
    assert table(segment_page).filter(like="equivalent diameter").min().min() >= 12


def test_clusters_come_over_from_their_page(app, png):
    upload(app, ("a.png", png))
    app.switch_page("pages/4_Cluster.py").run()
    app.slider(key="cluster_k").set_value(2).run()
    regions = next(d.value for d in app.dataframe if "circularity" in d.value.columns)
    app.button(key="cluster_to_segment").click().run()
    assert_calm(app)
    assert app.title[0].value == "Segment"
    assert app.segmented_control(key="segment_way").value == "clusters"
    assert count(app) == len(regions)


def test_a_recipe_goes_home_with_the_way(segment_page):
    from core.ui.segment import answer, settings

    asked = settings.Asked(
        settings.cache.SegmentChoice(chain='{"steps": [{"filter": "otsu"}]}', names=("pore",)),
        settings.cache.Given(),
        settings.cache.RegionChoice(12, split=True),
    )
    recipe = answer._recipe(asked, settings.cache.Objects(asked.choice, 1, asked.found_by))
    assert recipe.segmentation.way == "threshold"
    assert recipe.segmentation.names == ("pore", "ground")
    assert (recipe.target, recipe.smallest_region_px, recipe.split_regions) == (0, 12, True)
    labels = [each.label for each in segment_page.get("download_button")]
    assert any("Recipe for a batch" in label for label in labels)


def test_look_alikes_say_how_wrong_the_numbers_are(app):
    upload(app, ("discs.png", encode(discs()[0].pixels)))
    segment_page = app.switch_page(PAGE).run()
    segment_page.toggle("segment_trial").set_value(True).run(timeout=120)
    assert_calm(segment_page)
    rows = next(d.value for d in segment_page.dataframe if "corrected by simulation" in d.value)
    assert rows.loc[rows["quantity"] == "objects", "measured"].item() == count(segment_page)
    said = texts(segment_page)
    assert "too low" in said or "too high" in said or "right" in said
    assert "They cannot see objects behind others" in said


def test_a_neighbour_that_reads_look_alikes_better_is_taken(app):
    noisy = discs(noise=20.0)[0].pixels
    upload(app, ("discs.png", encode(noisy)))
    app.session_state["segment_way"] = "chain"
    app.session_state["segment_sigma"] = 0.0
    app.session_state["workspace_smallest_region_px"] = 2
    app.session_state["segment_trial"] = app.session_state["segment_trial_others"] = True
    segment_page = app.switch_page(PAGE).run(timeout=240)
    assert_calm(segment_page)
    before = count(segment_page)
    rows = next(d.value for d in segment_page.dataframe if "setting" in d.value)
    assert rows["setting"].tolist()[:2] == ["as it is set", "objects from 1 px on"]
    assert "falls from" in texts(segment_page)
    segment_page.session_state["segment_trial"] = False
    segment_page.button("segment_trial_take").click().run()
    assert_calm(segment_page)
    assert abs(count(segment_page) - 25) < abs(before - 25)


def test_a_prompted_network_says_what_it_needs_and_outlines_what_is_pointed_at(
    segment_page, monkeypatch, tmp_path
):
    from core.learning import prompting
    from core.ui import cache

    class Network:
        def look(self, micrograph, exclude):
            self.shape = micrograph.shape
            return self

        def mask(self, points, box):
            assert (box is None) == bool(points)
            mask = np.zeros(self.shape, bool)
            mask[30:60, 40:80] = True
            return mask

    monkeypatch.setattr(prompting, "has_package", lambda: True)
    segment_page.run()
    segment_page.segmented_control(key="segment_way").set_value("prompted").run()
    if "into the folder “sam”" not in texts(segment_page):
        assert "pip install" in str([each.value for each in segment_page.info])
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"w")
    monkeypatch.setattr(prompting, "how_to_get", lambda: "")
    monkeypatch.setattr(prompting, "find_weights", lambda: weights)
    monkeypatch.setattr(prompting, "open_sam", lambda path: Network())
    segment_page.run()
    assert_calm(segment_page)
    assert count(segment_page) == 0
    assert segment_page.segmented_control(key="segment_hand_mode").value == "prompt"
    micrograph = current(segment_page)
    by_click = cache.prompted(micrograph, True, place=(45.0, 60.0))
    assert by_click == cache.prompted(micrograph, True, box=(25.0, 35.0, 65.0, 85.0))
    edit(segment_page, by_click)
    assert_calm(segment_page)
    assert count(segment_page) == 1
    assert "1 of 1 outlines was changed by hand" in texts(segment_page)
