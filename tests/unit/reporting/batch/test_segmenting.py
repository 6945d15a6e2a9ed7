"""A batch by strokes, thresholds or objects: phases stand in the place of clusters."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.errors import UserError
from core.imaging.filtering import Step
from core.measuring.segmentation import Edit
from core.micrograph import Micrograph
from core.reporting.batch.analysis import find_clusters
from core.reporting.batch.others import find_others
from core.reporting.mending import edits_of
from core.reporting.recipe import Recipe
from core.reporting.report.writing import report_html
from core.reporting.segmenting import SegmentBy, strokes_of

DIGEST = "a" * 64


def scene(seed: int = 0) -> Micrograph:
    random = np.random.default_rng(seed)
    pixels = random.normal(60, 8, (64, 80))
    pixels[10:30, 10:30] = random.normal(180, 8, (20, 20))
    pixels[40:55, 45:70] = random.normal(180, 8, (15, 25))
    return Micrograph(f"scene {seed}", np.clip(pixels, 0, 255).astype(np.uint8), sha256=DIGEST)


TRUTH = np.zeros((64, 80), bool)
TRUTH[10:30, 10:30] = TRUTH[40:55, 45:70] = True
STROKES = ((DIGEST, ((1.0, 4.0, 15.0, 14.0, 25.0, 26.0), (2.0, 4.0, 5.0, 40.0, 60.0, 20.0))),)
BY_STROKES = SegmentBy("strokes", ("particle", "ground"), strokes=STROKES)


def test_a_recipe_holds_strokes_and_reads_them_back():
    recipe = Recipe(segmentation=BY_STROKES)
    assert (recipe.clusters, recipe.target) == (2, 0)
    assert not recipe.leaves_open
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert hash(Recipe.from_json(recipe.to_json())) == hash(recipe)
    assert json.loads(Recipe().to_json())["segmentation"]["way"] == "clusters"


def test_strokes_teach_the_frames_of_a_batch():
    recipe = Recipe(segmentation=BY_STROKES, exclude_overlays=False)
    painted, other = scene(), scene(1)
    for each in (painted, other):
        found = find_clusters(each, None, recipe, {DIGEST: painted})
        assert np.mean((found.labels == 0) == TRUTH) > 0.97
        assert found.fractions.sum() == pytest.approx(1)
    with pytest.raises(UserError, match="not in this batch"):
        find_clusters(other, None, recipe, {})
    with pytest.raises(UserError, match="The segmentation by strokes needs another micrograph"):
        find_others(recipe, (), ())


def test_a_threshold_at_the_end_of_the_filters():
    recipe = Recipe(
        segmentation=SegmentBy("threshold", ("carbide", "matrix")),
        filters=(Step("gaussian", {"sigma_px": 1.0}), Step("otsu")),
    )
    found = find_clusters(recipe.pipeline(scene()), None, recipe)
    assert np.mean((found.labels == 0) == TRUTH) > 0.97
    with pytest.raises(UserError, match="does not end in a threshold"):
        find_clusters(scene(), None, Recipe(segmentation=SegmentBy("threshold")))


def test_a_batch_measures_the_painted_phase(run, recipe):
    painted = scene()
    result = run([painted], recipe=replace(recipe, segmentation=BY_STROKES, target_cluster=0))
    row = result.rows.iloc[0]
    assert row["status"] == "ok", row["reason"]
    assert row["regions"] == 2
    assert row["target_percent"] == pytest.approx(100 * TRUTH.mean(), abs=1.5)
    said = report_html(result)
    assert "Phases were found by strokes painted on 1 micrograph: cluster 0 is particle" in said
    assert "the target was cluster 0, the phase “particle”" in said


@pytest.mark.parametrize(
    "said",
    [
        {"way": "magic"},
        {"way": "strokes"},
        {"strokes": [["x", []]]},
        {"way": "strokes", "strokes": [[DIGEST, [[1, 4, 5]]]]},
        {"way": "strokes", "strokes": [[DIGEST, [[1, -4, 5, 5]]]]},
        {"way": "strokes", "strokes": [[DIGEST, [[99, 4, 5, 5]]]]},
        {"way": "strokes", "strokes": [[DIGEST, [["1", 4, 5, 5]]]]},
        {"way": "strokes", "strokes": [[DIGEST, [[1, 4, 1e300, 5]]]]},
        {"way": "strokes", "strokes": [[DIGEST, []], [DIGEST, []]]},
        {"way": "strokes", "strokes": "../../etc/passwd"},
        {"phases": ["a", "a"]},
        {"phases": [""]},
        {"seed": -1},
        {"more": 1},
        [],
        7,
    ],
)
def test_hostile_segmentations_are_refused_with_a_sentence(said):
    text = json.dumps(json.loads(Recipe().to_json()) | {"segmentation": said})
    with pytest.raises(UserError, match=r"segmentation|strokes"):
        Recipe.from_json(text)


def test_strokes_of_the_viewer_are_kept_as_numbers():
    from core.measuring.by_hand import Shape

    shapes = (
        Shape("brush", ((1.0, 2.0), (3.0, 4.04)), phase=2, width_px=5),
        Shape("ruler", ((0.0, 0.0), (1.0, 1.0))),
        Shape("eraser", ((9.0, 9.0),), width_px=3),
    )
    assert strokes_of(shapes) == ((2.0, 5.0, 1.0, 2.0, 3.0, 4.0), (0.0, 3.0, 9.0, 9.0))


def test_rows_tell_how_phases_were_found_and_which_are_unlike_the_painted(run, recipe):
    noise = np.random.default_rng(5).integers(0, 255, (64, 80), np.uint8)
    sources = [scene(), Micrograph("noise", noise, sha256="b" * 64)]
    rows = run(sources, recipe=replace(recipe, segmentation=BY_STROKES, target_cluster=0)).rows
    assert rows["phases_by"].tolist() == ["strokes", "strokes"]
    like, unlike = rows["unlike_painted_percent"]
    assert like < 5 < 90 < unlike
    assert ["unlike the painted" in each for each in rows["warnings"]] == [False, True]


def test_rows_tell_whether_a_network_found_the_particles():
    particles = Recipe(segmentation=SegmentBy("particles"))
    assert find_clusters(scene(), None, particles).values == {"phases_by": "particle network"}
    narrow = Micrograph("narrow", scene().pixels[:40])
    said = find_clusters(narrow, None, particles).values
    assert said == {"phases_by": "particles by threshold and shape"}


def test_edits_by_hand_count_for_their_micrograph_alone(run, recipe):
    edits = edits_of({DIGEST: (Edit("delete", ((20.0, 20.0),)), Edit("delete", ((2.0, 2.0),)))})
    by = SegmentBy("threshold", ("particle", "ground"), edits=edits)
    steps = (Step("gaussian", {"sigma_px": 1.0}), Step("otsu"))
    mended = replace(recipe, segmentation=by, filters=steps, target_cluster=0)
    assert Recipe.from_json(mended.to_json()) == mended
    other = Micrograph("other", scene(1).pixels, sha256="b" * 64)
    result = run([scene(), other], recipe=mended)
    assert result.rows["regions"].tolist() == [1, 2]
    assert result.rows["outlines_removed_by_hand"].iloc[0] == 1
    assert result.rows["outlines_removed_by_hand"].isna().tolist() == [False, True]
    assert result.rows["target_percent"].iloc[0] == pytest.approx(100 * 15 * 25 / 5120, abs=1)
    said = report_html(result)
    assert "1 outline was removed by hand, 1 is left, in 1 micrograph." in said
    assert "Left out, since they did not fit: 1 edit." in said


@pytest.mark.parametrize(
    "edits", [[["x", "{}"]], [[DIGEST, "no"]], [[DIGEST, 7]], "no", [[DIGEST, '{"kind": 1}']]]
)
def test_hostile_edits_are_refused_with_a_sentence(edits):
    said = {"way": "threshold", "edits": edits}
    text = json.dumps(json.loads(Recipe().to_json()) | {"segmentation": said})
    with pytest.raises(UserError, match=r"segmentation|edits"):
        Recipe.from_json(text)
