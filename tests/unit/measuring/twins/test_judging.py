"""How wrong a measurement is here: predicted errors against those that are known."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.measuring.regions import label_regions
from core.measuring.twins import (
    QUANTITIES,
    Quantities,
    best_setting,
    how_wrong,
    imitate,
    judge,
    judge_settings,
    judging,
    match_objects,
    measured_quantities,
)
from core.micrograph import Micrograph
from tests.unit.measuring.twins.test_twins import discs

NONE = np.zeros((160, 160), bool)


def above(level, smallest=1):
    return lambda m: label_regions(m.pixels > level, min_area_px=smallest)


def test_a_threshold_that_is_too_low_is_found_out():
    micrograph, mask = discs()
    blurred = Micrograph("blurred", cv2.GaussianBlur(micrograph.pixels, (0, 0), 2.0))
    found = judge(blurred, above(80), count=4, exclude=NONE)
    real = (blurred.pixels > 80).mean() - mask.mean()
    assert real > 0.02
    assert found.refusal is None
    assert found.bias.fraction == pytest.approx(real, abs=0.5 * real)
    assert found.low.fraction <= mask.mean() <= found.high.fraction


def test_a_picture_made_worse_moves_the_error_as_it_moves_what_is_measured():
    micrograph, _ = discs()
    said = judge(micrograph, above(105, 4), count=3, exclude=NONE)
    rng = np.random.default_rng(2)
    greys = micrograph.pixels.astype(np.float32)
    noisier = np.clip(greys + rng.normal(0, 22, greys.shape), 0, 255).astype(np.uint8)
    blurred = cv2.GaussianBlur(micrograph.pixels, (0, 0), 3.0)
    worse = {
        "fraction": judge(micrograph, above(140, 4), count=3, exclude=NONE),  # measured thinner
        "count": judge(Micrograph("noisier", noisier), above(105, 4), count=3, exclude=NONE),
        "d50": judge(Micrograph("blurred", blurred), above(75, 4), count=3, exclude=NONE),
    }
    for name, now in worse.items():
        assert now.refusal is None
        moved = now.measured[name] - said.measured[name]
        if name == "d50":  # of another unit: the blurred picture has no scale
            moved = now.measured[name] - said.measured[name] / 2
        assert np.sign(now.bias[name] - said.bias[name]) == np.sign(moved)


def test_specks_of_noise_are_counted_as_invented():
    micrograph, _ = discs(noise=17.0)
    found = judge(micrograph, above(105), count=4, exclude=NONE)
    assert found.measured.count > 60
    assert found.corrected.count == pytest.approx(25, abs=8)
    assert found.objects.invented > found.objects.true
    assert found.bias.count == pytest.approx(found.measured.count - found.corrected.count)


def test_a_measurement_that_is_right_has_hardly_any_error():
    micrograph, _mask = discs()
    found = judge(micrograph, above(105, smallest=12), count=4, exclude=NONE)
    assert found.refusal is None
    assert abs(found.bias.count) < 0.5
    assert abs(found.relative_bias.d50) < 0.03
    assert found.objects.hit == found.objects.true
    assert found.unit == "nm"
    assert found.measured.d50 == pytest.approx(2 * 18.6, rel=0.03)


def test_settings_are_judged_on_the_same_twins():
    micrograph, _ = discs(noise=17.0)
    found = judge_settings(
        micrograph, {"as it is": above(105), "from 12 px": above(105, 12)}, count=3, exclude=NONE
    )
    assert abs(found["from 12 px"].bias.count) < 3 < found["as it is"].bias.count


def test_the_same_arguments_give_the_same_numbers():
    micrograph, _ = discs()
    one, again = (judge(micrograph, above(105), count=3, exclude=NONE, seed=5) for _ in range(2))
    assert np.array_equal(one.bias.to_array(), again.bias.to_array(), equal_nan=True)


def test_noise_alone_gets_a_refusal_instead_of_a_number():
    rng = np.random.default_rng(0)
    noise = Micrograph("noise", rng.normal(120, 20, (160, 160)).clip(0, 255).astype(np.uint8))
    found = judge(noise, above(140), count=3, exclude=NONE)
    assert found.refusal
    assert np.isnan(found.bias.fraction)
    assert found.measured.fraction > 0


def test_progress_is_told_and_may_end_the_work():
    micrograph, _ = discs()
    told = []
    judge(micrograph, above(105), count=3, exclude=NONE, on_progress=lambda *now: told.append(now))
    assert told[-1][0] == told[-1][1] == len(told)

    class Stopped(Exception):
        pass

    def stop(done, total):
        raise Stopped

    with pytest.raises(Stopped):
        judge(micrograph, above(105), count=3, exclude=NONE, on_progress=stop)


def test_quantities_are_found_by_name_and_as_attributes():
    values = Quantities.of(np.arange(7))
    assert values["count"] == values.count == 1
    assert list(values) == list(QUANTITIES)
    with pytest.raises(KeyError):
        values["to_array"]


def test_objects_are_hit_merged_split_missed_and_invented():
    true = np.zeros((20, 60), np.int32)
    found = true.copy()
    true[2:8, 2:8], true[2:8, 9:15] = 1, 2  # taken for one
    found[2:8, 2:15] = 1
    true[2:8, 20:32] = 3  # taken for two
    found[2:8, 20:26], found[2:8, 26:32] = 2, 3
    true[2:8, 40:46] = 4  # hit
    found[2:8, 40:46] = 4
    true[12:16, 2:6] = 5  # missed
    found[12:16, 50:54] = 5  # invented
    objects, hit, invented = match_objects(true, found)
    assert (objects.hit, objects.merged, objects.missed) == (2, 2, 1)
    assert objects.invented == 1
    assert list(hit) == [False, False, True, True, False]
    assert list(invented) == [False] * 4 + [True]


def test_chords_of_a_square_are_its_edge():
    squares = np.zeros((40, 40), np.int32)
    squares[5:15, 5:15], squares[20:30, 20:30] = 1, 2
    found = measured_quantities(squares, np.ones((40, 40), bool))
    assert found.chord == 10
    assert found.fraction == 200 / 1600
    assert found.d50 == pytest.approx(np.sqrt(400 / np.pi))


def test_the_setting_that_leaves_noise_out_is_named_and_a_change_for_nothing_is_not():
    micrograph, _ = discs(noise=17.0)
    measures = {"": above(105), "from 12 px": above(105, 12), "from 2 px": above(105, 2)}
    found = judge_settings(micrograph, measures, count=3, exclude=NONE)
    assert best_setting(found) == "from 12 px"
    assert how_wrong(found["from 12 px"]) < 0.5 * how_wrong(found[""])
    assert found["from 12 px"].error.count < 0.1 < found[""].error.count
    good = {"": found["from 12 px"], "again": found["from 12 px"], "worse": found[""]}
    assert best_setting(good) is None


def test_a_judgement_as_a_table_has_a_row_for_each_quantity():
    micrograph, _ = discs()
    found = judge(micrograph, above(105, 12), count=3, exclude=NONE)
    frame = found.to_frame().set_index("quantity")
    assert tuple(frame.index) == QUANTITIES
    assert frame.loc["d50", "unit"] == "nm"
    assert frame.loc["count", "measured"] == found.measured.count
    assert frame.loc["d50", "corrected_by_simulation"] == found.corrected.d50
    assert found.error.count == pytest.approx(
        np.hypot(found.relative_bias.count, found.relative_spread.count)
    )


def test_objects_that_a_border_cuts_are_counted_unless_they_are_left_out():
    objects = np.zeros((20, 20), np.int32)
    objects[0:4, 2:6], objects[8:12, 8:12] = 1, 2
    counted = np.ones(objects.shape, bool)
    assert measured_quantities(objects, counted).count == 2
    whole = measured_quantities(objects, counted, whole_only=True)
    assert (whole.count, whole.fraction) == (1, 32 / 400)
    assert whole.d50 == measured_quantities(objects, counted).d50


def test_where_cut_objects_are_left_out_twins_hold_them_and_do_not_count_them():
    micrograph, _ = discs()
    right = Micrograph("cut", np.ascontiguousarray(micrograph.pixels[:, 20:120]))
    none = np.zeros(right.shape, bool)
    known = imitate(right, above(105, 4), count=3, exclude=none, whole_only=True)
    every = measured_quantities(known.original.objects, ~none)
    said = judge_settings(right, {"": above(105, 4)}, known=known)[""]
    assert said.measured.count < every.count
    assert said.measured.fraction == pytest.approx(every.fraction)
    assert abs(said.bias.count) <= 2
    assert all(each.labels[:, :1].any() or each.labels[:, -1:].any() for each in known.twins)


def test_where_only_specks_are_unlike_the_share_is_told_and_nothing_else(monkeypatch):
    micrograph, mask = discs()
    plain = judging.likeness
    monkeypatch.setattr(
        judging, "likeness", lambda *given: replace(plain(*given), measured=0.5, share=0.1)
    )
    said = judge(micrograph, above(105, 4), count=3, exclude=NONE)
    assert said.refusal is None
    assert said.low.fraction <= mask.mean() <= said.high.fraction
    assert np.isnan(said.corrected.count)
    assert np.isnan(said.by_hand[0].d50)
    assert said.by_hand[0].fraction > said.corrected.fraction
