"""Ways to a segmentation, edits by hand and how they are made again."""

import json

import numpy as np
import pytest

from core.errors import UserError
from core.imaging.filtering import Pipeline, Step
from core.measuring.clustering import cluster_gray
from core.measuring.exchange import labels_tiff, rois_zip
from core.measuring.segmentation import (
    OBJECTS,
    PHASES,
    Edit,
    History,
    Phase,
    Segmentation,
    agreement,
    deepest,
    edits_json,
    from_chain,
    from_clusters,
    from_file,
    from_objects,
    from_strokes,
    grow,
    objects_of,
    read_edits,
    replay,
    say_by_hand,
)
from core.measuring.strokes import learn_pixels
from core.micrograph import Micrograph

TWO = np.zeros((20, 30), np.int32)
TWO[3:9, 3:9] = 1
TWO[3:9, 9:15] = 2  # touches the first
TWO[12:18, 20:30] = 3  # cut by the frame
PICTURE = Micrograph("two", np.where(TWO > 0, 200, 50).astype(np.uint8))


def found(labels: np.ndarray = TWO) -> Segmentation:
    return from_objects(labels, PICTURE)


def made(*edits: Edit, labels: np.ndarray = TWO) -> Segmentation:
    base = found(labels)
    return replay(base, edits, PICTURE.pixels).onto(base, edits)


def test_delete_takes_one_object_away_and_closes_the_numbers() -> None:
    left = made(Edit("delete", ((5, 5),)))
    assert left.count == 2
    assert (left.labels[TWO == 2] == 1).all()
    assert (left.labels[TWO == 1] == 0).all()
    assert (left.changed, left.removed) == (0, 1)
    assert left.describe_edits() == "1 outline was removed by hand, 2 are left."
    assert say_by_hand(0, 3, 0) == "3 outlines were removed by hand, none are left"
    assert say_by_hand(0, 0, 9) == "No outline was changed by hand"


def test_merge_makes_one_object_of_two() -> None:
    left = made(Edit("merge", ((5, 5), (5, 12))))
    assert left.count == 2
    assert np.array_equal(left.labels == 1, (TWO == 1) | (TWO == 2))
    assert left.describe_edits() == "1 of 2 outlines was changed by hand, 1 removed."


def test_cut_divides_what_the_line_crosses_and_loses_no_pixel() -> None:
    left = made(Edit("cut", corners=((5.0, 0.0), (5.0, 17.0))))
    assert left.count == 5
    assert np.array_equal(left.labels > 0, TWO > 0)
    assert left.changed == 4


def test_a_line_that_ends_inside_divides_nothing() -> None:
    left = made(Edit("cut", corners=((5.0, 0.0), (5.0, 6.0))))
    assert left.count == 3
    assert left.edits == ()
    assert left.not_applied == ("Edit 1 (cut) was left out: the line divides no object now.",)


def test_add_takes_free_pixels_only() -> None:
    box = ((1.0, 1.0), (1.0, 16.0), (10.0, 16.0), (10.0, 1.0))
    left = made(Edit("add", corners=box))
    assert left.count == 4
    assert np.array_equal(left.labels[TWO > 0], TWO[TWO > 0])


def test_redraw_moves_an_outline() -> None:
    box = ((2.6, 2.6), (2.6, 5.4), (8.4, 5.4), (8.4, 2.6))
    left = made(Edit("redraw", ((5, 5),), box))
    assert np.count_nonzero(left.labels == 1) == 18
    assert np.array_equal(left.labels == 2, TWO == 2)


def test_fill_and_smooth_one_object() -> None:
    holed = TWO.copy()
    holed[5, 5] = 0
    holed[2, 5] = 1  # a spike
    left = made(Edit("fill", ((4, 4),)), Edit("smooth", ((4, 4),), amount=1.0), labels=holed)
    assert left.labels[5, 5] == 1
    assert left.labels[2, 5] == 0
    assert left.changed == 1


def test_fill_without_a_place_fills_all_but_not_what_does_not_count() -> None:
    holed = TWO.copy()
    holed[5, 5] = holed[5, 12] = 0
    exclude = np.zeros(TWO.shape, bool)
    exclude[5, 12] = True
    base = from_objects(holed, PICTURE, exclude=exclude)
    left = replay(base, (Edit("fill"),)).labels
    assert left[5, 5] == 1
    assert left[5, 12] == 0


def test_what_is_cut_goes_and_limits_keep() -> None:
    assert made(Edit("drop_border")).count == 2
    kept = made(Edit("keep", limits=(("area_px", 40.0, None),)))
    assert kept.count == 1
    assert kept.removed == 2


def test_grow_finds_the_edge_around_a_click() -> None:
    disc = np.zeros((80, 80), np.uint8)
    rows, cols = np.ogrid[:80, :80]
    disc[(rows - 40) ** 2 + (cols - 38) ** 2 <= 15**2] = 180
    base = from_objects(np.zeros((80, 80), np.int32), Micrograph("disc", disc))
    edit = Edit("grow", corners=((42.0, 36.0),), amount=60.0)
    left = replay(base, (edit,), disc).labels
    assert abs(np.count_nonzero(left) - np.pi * 15.5**2) < 0.08 * np.pi * 15.5**2
    assert grow(np.full((40, 40), 7.0), (20.0, 20.0), 15) == ()
    assert grow(disc, (-3.0, 5.0), 15) == ()


def test_edits_are_made_again_on_other_labels_where_they_still_apply() -> None:
    place, area = deepest(TWO, 2)
    edits = (Edit("delete", (place,), area_px=(area,)), Edit("delete", ((15, 25),)))
    shrunk = TWO.copy()
    shrunk[8, 9:15] = 0  # another threshold: 30 px for 36
    base = from_objects(shrunk, PICTURE)
    again = replay(base, edits).onto(base, edits)
    assert again.count == 1
    assert again.edits == edits
    base = from_objects(np.array([0, 1, 1, 2])[TWO], PICTURE)
    again = replay(base, edits).onto(base, edits)  # the first two are one now
    assert again.not_applied == (
        "Edit 1 (delete) was left out: the object there is now another one.",
    )
    assert again.edits == edits[1:]
    assert again.count == 1


def test_going_on_from_earlier_edits_is_the_same_as_all_at_once() -> None:
    edits = (Edit("merge", ((5, 5), (5, 12))), Edit("delete", ((0, 0),)), Edit("drop_border"))
    base = found()
    first = replay(base, edits[:1])
    before = first.labels.copy()
    later = replay(base, edits, before=first)
    at_once = replay(base, edits)
    assert np.array_equal(later.labels, at_once.labels)
    assert (later.touched, later.removed) == (at_once.touched, at_once.removed)
    assert later.not_applied == at_once.not_applied == ((1, "no object lies there now"),)
    assert np.array_equal(first.labels, before), "an earlier step is kept as it was"


def some_edit(random: np.random.Generator, side: int) -> Edit:
    """Any change anywhere; many will not fit."""
    places = tuple((float(r), float(c)) for r, c in random.integers(0, side, (2, 2)))
    middle, reach = random.uniform(0, side, 2), random.uniform(2, 12)
    turns = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = tuple((middle[0] + reach * np.sin(t), middle[1] + reach * np.cos(t)) for t in turns)
    choices = (
        Edit("delete", places[:1]),
        Edit("merge", places),
        Edit("cut", corners=places),
        Edit("redraw", places[:1], ring),
        Edit("add", corners=ring),
        Edit("fill", places[:1]),
        Edit("smooth", places[:1], amount=1.5),
        Edit("smooth", amount=0.8),
    )
    return choices[int(random.integers(len(choices)))]


@pytest.mark.parametrize("seed", range(4))
def test_each_edit_knows_where_objects_lie_after_the_ones_before(seed: int) -> None:
    """Boxes of objects follow every change: looked for anew after each edit, all is the same."""
    random = np.random.default_rng(seed)
    labels = np.kron(np.arange(1, 37, dtype=np.int32).reshape(6, 6), np.ones((9, 9), np.int32))
    labels[random.random(labels.shape) < 0.1] = 0
    base = from_objects(labels, Micrograph("x", labels.astype(np.uint8)))
    edits = [some_edit(random, 54) for _ in range(60)]
    step = None
    for count in range(1, len(edits) + 1):
        step = replay(base, edits[:count], before=step)
    at_once = replay(base, edits)
    assert step is not None
    assert np.array_equal(step.labels, at_once.labels)
    assert (step.touched, step.removed) == (at_once.touched, at_once.removed)
    assert len(at_once.not_applied) < 45


def test_thousands_of_edits_of_everything_are_refused() -> None:
    """A study of a stranger's may hold 5,000 that each smooth the whole frame: hours."""
    with pytest.raises(UserError, match="cannot be made again in minutes"):
        made(*[Edit("smooth", amount=1.0)] * 5000)
    assert made(*[Edit("smooth", amount=0.5)] * 20).count == 3, "a person's few are made"


def test_edits_survive_json() -> None:
    edits = (
        Edit("delete", ((5, 5),), area_px=(36.0,)),
        Edit("cut", corners=((5.5, 0.0), (5.5, 17.0))),
        Edit("keep", limits=(("circularity", 0.5, None),)),
        Edit("grow", corners=((1.0, 2.0),), amount=9.0),
    )
    assert read_edits(edits_json(edits, {"way": "clusters"})) == edits


GOOD = {"kind": "micrographia-edits", "version": 1, "edits": []}


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[" * 100_000,
        "null",
        "[]",
        '{"kind": "other"}',
        json.dumps(GOOD | {"edits": 3}),
        json.dumps(GOOD | {"edits": [{"kind": "delete"}] * 6000}),
        *(
            json.dumps(GOOD | {"edits": [edit]})
            for edit in (
                3,
                {},
                {"kind": "explode"},
                {"kind": ["delete"]},
                {"kind": "delete", "places": [[1]]},
                {"kind": "delete", "places": [["1", 2]]},
                {"kind": "delete", "places": [[True, 2]]},
                {"kind": "delete", "places": [[float("nan"), 2]]},
                {"kind": "delete", "places": [[1e9, 2]]},
                {"kind": "delete", "places": [[1, 2]], "area_px": [float("inf")]},
                {"kind": "delete", "places": [[1, 2]], "more": 1},
                {"kind": "add", "corners": [[0, 0]] * 5000},
                {"kind": "smooth", "amount": 1e300},
                {"kind": "keep", "limits": [["__class__", 0, 1]]},
                {"kind": "keep", "limits": [["area_px", "0", 1]]},
                {"kind": "keep"},
                {"kind": "grow", "corners": [[1, 1]], "amount": 10**400},
            )
        ),
    ],
)
def test_hostile_edits_are_refused_with_a_sentence(said: str) -> None:
    with pytest.raises(UserError, match=r"^[A-Z].*\.$"):
        read_edits(said)


def test_undo_and_redo() -> None:
    one, two = Edit("drop_border"), Edit("fill")
    history = History().add(one).add(two)
    assert history.undo().done == (one,)
    assert history.undo().redo() == history
    assert history.undo().add(one).undone == ()
    assert History().undo() == History().redo() == History()


def test_clusters_of_one_name_are_merged() -> None:
    steps = np.repeat(np.array([[10, 100, 200]], np.uint8), 8, axis=1).repeat(12, axis=0)
    picture = Micrograph("steps", steps)
    exclude = np.zeros(steps.shape, bool)
    exclude[:2] = True
    clustering = cluster_gray(picture, 3, exclude=exclude)
    named = from_clusters(clustering, {0: "carbide", 2: "carbide"}, picture)
    assert [phase.name for phase in named.phases] == ["carbide", "ground"]
    assert named.kind == PHASES
    assert named.fraction(1).estimate == pytest.approx(2 / 3)
    assert (named.labels[:2] == 0).all()
    assert objects_of(named, 1).count == 2
    with pytest.raises(UserError, match="Name at least one"):
        from_clusters(clustering, {}, picture)


def test_a_chain_must_end_in_a_threshold() -> None:
    chain = Pipeline([Step("gaussian", {"sigma_px": 0.5}), Step("otsu")])
    phases = from_chain(PICTURE, chain)
    assert np.mean(phases.mask(1) == (TWO > 0)) > 0.98
    dark = np.where(TWO > 0, 50, 200).astype(np.uint8)
    of_dark = from_chain(Micrograph("dark", dark), chain)
    assert np.array_equal(of_dark.mask(1), phases.mask(1)), "what stands out is the phase"
    inverse = from_chain(PICTURE, chain, dark=True)
    assert np.array_equal(inverse.mask(1), phases.mask(2))
    with pytest.raises(UserError, match="does not end in a threshold"):
        from_chain(PICTURE, Pipeline([Step("gaussian", {"sigma_px": 2.0})]))


def test_strokes_become_named_phases() -> None:
    painted = np.zeros(TWO.shape, np.int32)
    painted[4:6, 4:8], painted[0:2, 2:12] = 1, 2
    classifier = learn_pixels([PICTURE], [painted])
    phases, probabilities = from_strokes(classifier, PICTURE, ["carbide"])
    assert [phase.name for phase in phases.phases] == ["carbide", "phase 2"]
    assert probabilities.shape == (2, 20, 30)
    assert phases.mask(1)[4:6, 4:8].all()


def test_files_come_in_as_objects() -> None:
    from_tiff, _ = from_file(labels_tiff(TWO), PICTURE, "labels.tif")
    assert np.array_equal(from_tiff.labels, TWO)
    assert from_tiff.kind == OBJECTS
    from_rois, _ = from_file(rois_zip(TWO), PICTURE, "rois.zip")
    assert np.array_equal(from_rois.labels, TWO)
    mask, notes = from_file(labels_tiff((TWO > 0).astype(np.int32)), PICTURE, "mask.tif")
    assert mask.count == 2
    assert "2 separate pieces" in notes[-1]
    with pytest.raises(UserError, match="30"):
        from_file(labels_tiff(TWO[:10]), PICTURE, "other.tif")


def test_agreement_of_two_people() -> None:
    other = TWO.copy()
    other[3:9, 12:15] = 0  # half of the second is left: just the same object
    other[12:18, 20:30] = 0
    found = agreement(TWO, other)
    assert (found.matched, found.first, found.second) == (2, 3, 2)
    assert found.f1 == pytest.approx(0.8)
    assert found.mean_iou == pytest.approx(0.75)
    assert agreement(TWO, TWO).kappa == 1
    assert np.isnan(agreement(TWO * 0, TWO * 0).f1)
    with pytest.raises(UserError, match="Compare results of one"):
        agreement(TWO, TWO[:5])


def test_a_segmentation_refuses_what_does_not_fit() -> None:
    base = found()
    with pytest.raises(ValueError, match="int32"):
        Segmentation(TWO.astype(np.int64), base.phases, OBJECTS, base.origin, base.included)
    with pytest.raises(ValueError, match="labels need as many phases"):
        Segmentation(TWO, base.phases, PHASES, base.origin, base.included)
    with pytest.raises(ValueError, match="name"):
        Phase("")
    with pytest.raises(ValueError, match="phases"):
        replay(
            Segmentation(
                np.minimum(TWO, 1).astype(np.int32), base.phases, PHASES, base.origin, base.included
            ),
            (),
        )
