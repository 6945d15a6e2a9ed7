"""Laws of edits by hand: made again they give the same, and undone they leave nothing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.measuring.segmentation import Edit, History, edits_json, from_objects, read_edits, replay
from core.micrograph import Micrograph

SHAPE = (24, 32)
place = st.tuples(st.floats(0, 23), st.floats(0, 31))
line = st.lists(place, min_size=3, max_size=6).map(tuple)
edit = st.one_of(
    place.map(lambda at: Edit("delete", (at,))),
    st.tuples(place, place).map(lambda two: Edit("merge", two)),
    line.map(lambda corners: Edit("cut", corners=corners)),
    line.map(lambda corners: Edit("add", corners=corners)),
    st.tuples(place, line).map(lambda both: Edit("redraw", (both[0],), both[1])),
    place.map(lambda at: Edit("grow", corners=(at,), amount=8.0)),
    st.just(Edit("fill")),
    st.floats(0.5, 3).map(lambda px: Edit("smooth", amount=px)),
    st.just(Edit("drop_border")),
    st.floats(1, 50).map(lambda px: Edit("keep", limits=(("area_px", px, None),))),
)
edits = st.lists(edit, max_size=6).map(tuple)


def labels_of(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 6, (4, 4)).repeat(6, 0).repeat(8, 1)
    return np.unique(blocks, return_inverse=True)[1].reshape(SHAPE).astype(np.int32)


@given(st.integers(0, 99), edits, st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_replay_is_deterministic_and_its_numbers_run(seed, made, cut) -> None:
    labels = labels_of(seed)
    pixels = labels.astype(np.uint8) * 40
    base = from_objects(labels, Micrograph("blocks", pixels))
    untouched = base.labels.copy()
    at_once = replay(base, made, pixels)
    in_steps = replay(base, made, pixels, before=replay(base, made[:cut], pixels))
    assert np.array_equal(at_once.labels, in_steps.labels)
    assert at_once.touched == in_steps.touched
    assert at_once.removed == in_steps.removed
    assert np.array_equal(base.labels, untouched)
    final = at_once.onto(base, made)
    assert set(np.unique(final.labels)) | {0} == set(range(final.count + 1))
    assert final.changed <= final.count
    assert len(final.edits) + len(final.not_applied) == len(made)


@given(st.integers(0, 99), edits)
@settings(max_examples=30, deadline=None)
def test_undone_edits_leave_nothing(seed, made) -> None:
    labels = labels_of(seed)
    base = from_objects(labels, Micrograph("blocks", labels.astype(np.uint8)))
    history = History()
    for each in made:
        history = history.add(each)
    for _ in made:
        history = history.undo()
    assert np.array_equal(replay(base, history.done).labels, base.labels)
    for _ in made:
        history = history.redo()
    assert history.done == made


@given(edits)
@settings(max_examples=40, deadline=None)
def test_json_keeps_edits(made) -> None:
    assert read_edits(edits_json(made)) == made
