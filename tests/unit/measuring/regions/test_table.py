"""Regions whose measures can be worked out on paper."""

import cv2
import numpy as np
import pandas as pd
import pytest
import scipy
import skimage

from core.imaging.parting import reconstruct
from core.measuring.regions.labels import label_regions
from core.measuring.regions.table import measure_labels, measure_regions
from core.micrograph import Micrograph, PixelSize


def canvas(*boxes, shape=(30, 40)):
    mask = np.zeros(shape, bool)
    for top, left, height, width in boxes:
        mask[top : top + height, left : left + width] = True
    return mask


def test_a_rectangle_has_the_measures_of_a_rectangle():
    row = measure_regions(canvas((5, 10, 4, 8))).iloc[0]
    assert row["area_px"] == 32
    assert row["equivalent_diameter_px"] == pytest.approx(np.sqrt(128 / np.pi))
    # 2 (4 + 8), less what chords over two steps and round corners cut off
    assert row["perimeter_px"] == pytest.approx(24, abs=2.1)
    assert row["circularity"] == pytest.approx(4 * np.pi * 32 / row["perimeter_px"] ** 2)
    assert not row["outline_too_short"]
    assert row["feret_max_px"] == pytest.approx(np.hypot(8, 3))
    assert row["feret_min_px"] == pytest.approx(4)
    assert row["aspect_ratio"] == pytest.approx(np.sqrt((64 - 1) / (16 - 1)))
    assert row["solidity"] == 1
    assert row["orientation_deg"] == 0
    assert (row["centroid_row_px"], row["centroid_col_px"]) == (6.5, 13.5)
    assert not row["touches_border"]


def test_regions_are_numbered_in_reading_order_and_corners_connect():
    mask = canvas((2, 20, 3, 3), (4, 2, 3, 3), (7, 5, 2, 2))  # the last two meet at a corner
    frame = measure_regions(mask)
    assert frame["label"].tolist() == [1, 2]
    assert frame["area_px"].tolist() == [9, 13]
    np.testing.assert_array_equal(np.bincount(label_regions(mask).ravel())[1:], [9, 13])


@pytest.mark.parametrize(
    ("pixel_size", "unit", "edge"),
    [
        (PixelSize(2, "nm"), "nm", 2),
        (PixelSize(50, "nm"), "µm", 0.05),
        (PixelSize(1, "Å"), "nm", 0.1),
    ],
)
def test_lengths_and_areas_carry_the_unit_of_the_pixel_size(pixel_size, unit, edge):
    plain = measure_regions(canvas((5, 10, 4, 8))).iloc[0]
    scaled = measure_regions(canvas((5, 10, 4, 8)), pixel_size).iloc[0]
    assert scaled[f"area_{unit}2"] == pytest.approx(32 * edge**2)
    for name in ("equivalent_diameter", "perimeter", "feret_max", "feret_min"):
        assert scaled[f"{name}_{unit}"] == pytest.approx(plain[f"{name}_px"] * edge)
    for name in ("circularity", "aspect_ratio", "solidity", "centroid_row_px"):
        assert scaled[name] == plain[name]
    assert "area_px" not in scaled


@pytest.mark.parametrize("pixel_size", [None, PixelSize(2, "nm")])
@pytest.mark.parametrize("grey", [None, np.zeros((30, 40), np.uint8)])
def test_no_region_gives_an_empty_frame_with_the_same_columns(pixel_size, grey):
    empty = measure_regions(canvas(), pixel_size, grey)
    full = measure_regions(canvas((1, 1, 2, 2)), pixel_size, grey)
    assert len(empty) == 0
    assert list(empty.columns) == list(full.columns)
    assert empty.dtypes.equals(full.dtypes)
    assert pd.concat([empty, full])["label"].tolist() == [1]


def test_single_pixels_and_lines_have_no_axis_ratio():
    frame = measure_regions(canvas((1, 1, 1, 1), (5, 5, 1, 9), (10, 30, 9, 1)))
    assert frame["aspect_ratio"].isna().all()
    assert frame["circularity"].isna().tolist() == [True, False, False]
    assert frame["eccentricity"].tolist() == [0, 1, 1]
    assert frame["feret_max_px"].tolist() == pytest.approx([1, 9, 9])
    assert frame["feret_min_px"].tolist() == pytest.approx([np.sqrt(0.5), 1, 1])
    assert frame["solidity"].tolist() == [1, 1, 1]
    assert frame["orientation_deg"].tolist() == pytest.approx([0, 0, 90])


def test_orientation_counts_counter_clockwise_from_the_horizontal():
    rising = np.fliplr(np.eye(9, dtype=bool))  # from below left to above right
    assert measure_regions(rising)["orientation_deg"].tolist() == pytest.approx([45])
    assert measure_regions(np.eye(9, dtype=bool))["orientation_deg"].tolist() == pytest.approx(
        [-45]
    )


def test_a_digital_disc_is_nearly_a_circle():
    down, right = np.mgrid[-60:61, -60:61]
    row = measure_regions(down**2 + right**2 <= 50**2, PixelSize(2, "nm")).iloc[0]
    assert row["equivalent_diameter_nm"] == pytest.approx(200, rel=0.005)
    assert row["feret_max_nm"] == pytest.approx(202, rel=0.005)
    assert row["circularity"] == pytest.approx(0.99, abs=0.01)
    assert row["aspect_ratio"] == pytest.approx(1)
    assert row["eccentricity"] < 1e-3


def test_a_ring_is_not_solid():
    mask = canvas((5, 5, 10, 10))
    mask[8:12, 8:12] = False
    assert measure_regions(mask)["solidity"].tolist() == [0.84]


def test_mean_grey_ignores_invalid_values():
    mask = canvas((0, 0, 1, 2), (5, 5, 1, 2))
    grey = np.zeros(mask.shape, np.float32)
    grey[0, :2] = 10, np.nan
    grey[5, 5:7] = np.nan
    means = measure_regions(mask, intensity=grey)["mean_grey"]
    assert means[0] == 10
    assert np.isnan(means[1])
    micrograph = Micrograph("a", np.full(mask.shape, 500, np.uint16))
    assert measure_regions(mask, intensity=micrograph)["mean_grey"].tolist() == [500, 500]


def test_regions_at_the_rim_are_marked():
    mask = canvas((0, 5, 2, 2), (28, 20, 2, 2), (10, 0, 2, 2), (12, 38, 2, 2), (15, 15, 2, 2))
    assert measure_regions(mask)["touches_border"].sum() == 4


def test_small_regions_are_left_out_and_labels_stay_without_gaps():
    mask = canvas((1, 1, 1, 1), (5, 5, 3, 3), (10, 10, 1, 3), (20, 20, 4, 4))
    frame = measure_regions(mask, min_area_px=4)
    assert frame["area_px"].tolist() == [9, 16]
    assert frame["label"].tolist() == [1, 2]
    assert np.unique(label_regions(mask, min_area_px=4)).tolist() == [0, 1, 2]
    assert measure_regions(mask, min_area_px=100).empty


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (5, 7)])
def test_full_and_tiny_masks_work(shape):
    frame = measure_regions(np.ones(shape, bool))
    assert frame["area_px"].tolist() == [np.prod(shape)]
    assert frame["solidity"].tolist() == [1]
    assert frame["touches_border"].all()


def test_masks_of_0_and_255_are_the_same_as_bool():
    mask = canvas((5, 5, 3, 3))
    pd.testing.assert_frame_equal(
        measure_regions(mask.astype(np.uint8) * 255), measure_regions(mask)
    )


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="several labels"):
        measure_regions(np.array([[0, 1, 2]]))
    with pytest.raises(ValueError, match="of bool"):
        measure_regions(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="of bool"):
        measure_regions(np.zeros((2, 2, 2), bool))
    with pytest.raises(ValueError, match=r"shape \(30, 40\)"):
        measure_regions(canvas(), intensity=np.zeros((2, 2)))
    with pytest.raises(ValueError, match="at least 1"):
        measure_regions(canvas(), min_area_px=0)
    with pytest.raises(TypeError, match="integer"):
        measure_regions(canvas(), min_area_px=1.5)


def ellipse(long_px, short_px, turn_deg=0.0, side_px=320):
    """A filled ellipse around the middle, given by its half axes."""
    down, right = np.mgrid[:side_px, :side_px] - (side_px - 1) / 2
    turn = np.radians(turn_deg)
    along = right * np.cos(turn) - down * np.sin(turn)
    across = right * np.sin(turn) + down * np.cos(turn)
    return (along / long_px) ** 2 + (across / short_px) ** 2 <= 1


@pytest.mark.parametrize("turn_deg", [0, 20, 45, 73, 90])
@pytest.mark.parametrize(("long_px", "short_px"), [(60, 60), (100, 50), (130, 20)])
def test_ellipses_have_their_known_measures(long_px, short_px, turn_deg):
    row = measure_regions(ellipse(long_px, short_px, turn_deg)).iloc[0]
    assert row["area_px"] == pytest.approx(np.pi * long_px * short_px, rel=0.01)
    diameter_px = 2 * np.sqrt(long_px * short_px)
    assert row["equivalent_diameter_px"] == pytest.approx(diameter_px, rel=0.01)
    assert row["feret_max_px"] == pytest.approx(2 * long_px, rel=0.01, abs=1)
    assert row["feret_min_px"] == pytest.approx(2 * short_px, rel=0.01, abs=1)
    assert row["aspect_ratio"] == pytest.approx(long_px / short_px, rel=0.01)
    assert row["solidity"] == pytest.approx(1, abs=0.03)  # hull pixels on its edge count
    if long_px != short_px:
        apart = (row["orientation_deg"] - turn_deg + 90) % 180 - 90
        assert apart == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("radius_px", [8, 15, 30, 60, 140])
def test_the_perimeter_of_a_disc_is_that_of_a_circle(radius_px):
    row = measure_regions(ellipse(radius_px, radius_px)).iloc[0]
    assert row["perimeter_px"] == pytest.approx(2 * np.pi * radius_px, rel=0.012, abs=1)
    assert 0.96 < row["circularity"] <= 1


@pytest.mark.parametrize(("height", "width"), [(60, 120), (150, 90), (100, 100)])
def test_the_perimeter_of_a_rectangle_is_that_of_its_sides(height, width):
    row = measure_regions(canvas((20, 20, height, width), shape=(200, 200))).iloc[0]
    assert row["perimeter_px"] == pytest.approx(2 * (height + width), rel=0.01)


def test_holes_are_counted_and_leave_the_outline_alone():
    # A ring used to get both its edges as perimeter, and a circularity of 0.33.
    ring, disc = ellipse(100, 100) & ~ellipse(50, 50), ellipse(100, 100)
    row, full = measure_regions(ring, PixelSize(2, "nm")).iloc[0], measure_regions(disc).iloc[0]
    assert row["perimeter_nm"] == pytest.approx(400 * np.pi, rel=0.01)
    assert row["circularity"] == full["circularity"]
    assert (row["holes"], row["hole_area_nm2"]) == (1, 4 * ellipse(50, 50).sum())
    assert (full["holes"], full["hole_area_px"]) == (0, 0)


@pytest.mark.parametrize("share", [0.001, 0.005, 0.01])
def test_specks_of_noise_do_not_spoil_circularity(share):
    # 0.877, 0.564 and 0.423 before; ImageJ, by the outer outline: about 0.89 for all
    disc = ellipse(40, 40, side_px=100)
    noisy = disc & ~(
        ellipse(37, 37, side_px=100) & (np.random.default_rng(0).random(disc.shape) < share)
    )
    row = measure_regions(noisy).iloc[0]
    assert row["circularity"] == pytest.approx(0.985, abs=0.005)
    assert row["hole_area_px"] == disc.sum() - noisy.sum() > 0


def test_holes_agree_with_filling_them():
    mask = np.random.default_rng(3).random((80, 90)) < 0.55
    frame = measure_regions(mask)
    labels = label_regions(mask)
    for number in range(1, len(frame) + 1):
        holes = scipy.ndimage.binary_fill_holes(labels == number) & (labels != number)
        row = frame.iloc[number - 1]
        assert row["hole_area_px"] == holes.sum()
        assert row["holes"] == scipy.ndimage.label(~(labels == number))[1] - outside(
            labels == number
        )


def outside(alone):
    """How many parts of the ground around a region reach the frame's edge."""
    parts = scipy.ndimage.label(~alone)[0]
    rim = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    return np.count_nonzero(np.unique(rim))


def discs_on_a_grid(shape=(760, 1024), pitch_px=105, radius_px=40, bar_px=68):
    down, right = np.mgrid[: shape[0] + bar_px, : shape[1]]
    apart = np.hypot(down % pitch_px - 50, right % pitch_px - 50)
    included = down < shape[0]
    return (apart <= radius_px) & included, included


def test_an_info_bar_cuts_as_the_edge_of_the_frame_does():
    with_bar, included = discs_on_a_grid()
    bare = measure_regions(with_bar[:760])
    found = measure_regions(with_bar, included=included)
    pd.testing.assert_frame_equal(found, bare)
    assert found["touches_border"].sum() > measure_regions(with_bar)["touches_border"].sum()
    whole = measure_regions(with_bar, included=included, drop_border=True)
    assert whole["equivalent_diameter_px"].min() == pytest.approx(80, abs=0.2)


def test_regions_of_interest_and_lettering_cut():
    mask = canvas((5, 5, 6, 6), (20, 20, 6, 6), (5, 25, 4, 4))
    included = np.ones(mask.shape, bool)
    included[:, :4] = False  # one column away from the first: not cut
    included[22:24, 22:24] = False  # a letter on the second
    included[9, 29] = False  # at the corner of the third
    frame = measure_regions(mask, included=included)
    assert frame["touches_border"].tolist() == [False, True, True]
    assert frame["area_px"].tolist() == [36, 16, 32]
    assert measure_regions(mask, included=included, drop_border=True)["label"].tolist() == [1]
    assert label_regions(mask, included=included)[22, 22] == 0
    included[:, 4] = False
    assert measure_regions(mask, included=included)["touches_border"].all()
    with pytest.raises(ValueError, match="included must be bool"):
        measure_regions(mask, included=included[:5])


def test_weights_are_how_often_a_region_would_not_have_been_cut():
    mask = canvas((5, 5, 6, 8), (20, 20, 3, 3), (0, 30, 3, 3))
    frame = measure_regions(mask)
    wanted = [30 * 40 / (23 * 31), 30 * 40 / (26 * 36)]
    assert frame["weight"].tolist()[1:] == pytest.approx(wanted)
    assert np.isnan(frame["weight"][0])
    # an L: counted by hand, placement by placement
    included = np.ones((30, 40), bool)
    included[15:, 15:] = False
    found = measure_regions(canvas((5, 5, 6, 8)), included=included)["weight"][0]
    places = sum(
        included[r - 1 : r + 7, c - 1 : c + 9].all() for r in range(1, 24) for c in range(1, 32)
    )
    assert found == pytest.approx(included.sum() / places)


def test_weights_make_up_for_large_regions_that_are_cut():
    rng, plain, weighted, wanted = np.random.default_rng(4), 0.0, 0.0, 0.0
    for _ in range(120):
        side = rng.choice([5, 60], 1, p=[0.7, 0.3])[0]
        row, col = rng.integers(-side, 150, 2)
        mask = np.zeros((150 + side, 150 + side), bool)
        top, left = max(row, 0), max(col, 0)
        mask[top : row + side, left : col + side] = True
        frame = measure_regions(mask[:150, :150], drop_border=True)
        plain += len(frame) * (side == 60)
        weighted += frame["weight"].sum() * (side == 60)
        wanted += (0 <= row < 150 and 0 <= col < 150) * (side == 60)
    assert plain < 0.5 * wanted
    assert weighted == pytest.approx(wanted, rel=0.3)


def test_four_neighbours_keep_grains_apart_and_holes_are_filled():
    mask = np.ones((9, 9), bool)
    mask[[0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4, 5, 6, 7, 8]] = False  # a slanted boundary
    assert len(measure_regions(mask)) == 1
    assert measure_regions(mask, connectivity=4)["area_px"].tolist() == [36, 36]
    ring = ellipse(30, 30, side_px=80) & ~ellipse(10, 10, side_px=80)
    filled = measure_regions(ring, fill_holes=True).iloc[0]
    assert (filled["area_px"], filled["holes"]) == (ellipse(30, 30, side_px=80).sum(), 0)
    letter = ~ellipse(5, 5, side_px=80)
    part = measure_regions(ring, fill_holes=True, included=letter).iloc[0]
    assert part["area_px"] == (ellipse(30, 30, side_px=80) & letter).sum()
    with pytest.raises(ValueError, match="4 or 8"):
        measure_regions(ring, connectivity=6)


def test_iterated_dilation_equals_scikit_image_to_the_bit():
    rng = np.random.default_rng(5)
    height = cv2.GaussianBlur(rng.random((90, 120)).astype(np.float32), (0, 0), 4)
    floor = height - np.float32(0.05)
    theirs = skimage.morphology.reconstruction(floor, height).astype(np.float32)
    np.testing.assert_array_equal(reconstruct(floor, height), theirs)
    np.testing.assert_array_equal(reconstruct(floor, height, most_rounds=2), theirs)


@pytest.mark.parametrize("period_px", [4, 6])
def test_nested_rings_and_sponges_are_measured_as_if_alone(period_px):
    down, right = np.mgrid[:120, :120] - 59.5
    rings = np.hypot(down, right) % period_px < period_px / 2
    labels = label_regions(rings)
    frame = measure_labels(labels)
    for number in range(1, len(frame) + 1):
        alone = measure_regions(labels == number).iloc[0]
        for name in ("perimeter_px", "holes", "hole_area_px"):
            assert frame[name][number - 1] == alone[name]


def test_a_tiny_region_that_looks_rounder_than_a_circle_says_so():
    frame = measure_regions(canvas((2, 2, 2, 2), (10, 10, 3, 3), (20, 20, 1, 1)))
    assert frame["circularity"].max() <= 1
    assert frame["outline_too_short"].tolist() == (frame["circularity"] == 1).tolist()


def test_neighbours_are_as_far_as_their_middles():
    frame = measure_regions(canvas((2, 2, 3, 3), (2, 12, 3, 3), (20, 2, 3, 3)), PixelSize(2, "nm"))
    assert frame["nearest_neighbour_nm"].tolist() == pytest.approx([20, 20, 36])
    assert measure_regions(canvas((2, 2, 3, 3)))["nearest_neighbour_px"].isna().all()


def test_border_regions_can_be_left_out_but_stay_neighbours():
    mask = canvas((0, 5, 3, 3), (10, 5, 3, 3), (20, 20, 3, 3))
    frame = measure_regions(mask, drop_border=True)
    assert frame["label"].tolist() == [2, 3]
    assert frame["nearest_neighbour_px"][0] == 10
    assert measure_regions(mask[:3], drop_border=True).empty


def two_discs(radius_px, apart_px):
    down, right = np.mgrid[: 6 * radius_px, : 8 * radius_px]
    return np.logical_or(
        *(
            np.hypot(down - 3 * radius_px, right - 4 * radius_px - shift) <= radius_px
            for shift in (-apart_px / 2, apart_px / 2)
        )
    )


@pytest.mark.parametrize("radius_px", [8, 30, 60])
def test_touching_discs_are_split_at_their_neck_and_lose_no_pixel(radius_px):
    mask = two_discs(radius_px, 1.7 * radius_px)
    assert len(measure_regions(mask)) == 1
    frame = measure_regions(mask, split=True)
    assert len(frame) == 2
    assert frame["area_px"].sum() == mask.sum()
    # a disc less the segment beyond the chord at 0.85 R
    segment = np.arccos(0.85) - 0.85 * np.sqrt(1 - 0.85**2)
    wanted = (np.pi - segment) * radius_px**2
    assert frame["area_px"].tolist() == pytest.approx([wanted, wanted], rel=0.01, abs=8)
    assert len(measure_regions(two_discs(radius_px, 0.8 * radius_px), split=True)) == 1


def test_rough_outlines_lines_and_the_whole_frame_are_not_split():
    rng = np.random.default_rng(0)
    rough = ellipse(60, 60) ^ ((rng.random((320, 320)) < 0.5) & (ellipse(61, 61) ^ ellipse(59, 59)))
    assert (measure_regions(rough, split=True)["area_px"] > 50).sum() == 1
    for mask in (ellipse(140, 12), canvas((5, 3, 1, 30)), np.ones((20, 30), bool)):
        assert len(measure_regions(mask, split=True)) == 1
    assert measure_regions(canvas(), split=True).empty


def test_touching_labels_are_measured_as_if_alone():
    labels = np.zeros((30, 40), np.uint16)
    labels[5:9, 10:18], labels[9:15, 10:18] = 1, 2
    together = measure_labels(labels)
    for number in (1, 2):
        alone = measure_regions(labels == number).iloc[0]
        for name in ("area_px", "perimeter_px", "feret_min_px", "solidity", "centroid_row_px"):
            assert together[name][number - 1] == alone[name]


def test_labels_with_gaps_are_refused():
    with pytest.raises(ValueError, match="without gaps"):
        measure_labels(np.array([[0, 2]]))
    with pytest.raises(ValueError, match="without gaps"):
        measure_labels(np.array([[-1, 1]]))
    with pytest.raises(ValueError, match="integers"):
        measure_labels(np.zeros((2, 2)))


def test_a_least_depth_of_necks_keeps_real_ones_and_rough_outlines_whole():
    discs = two_discs(12, 20)
    np.testing.assert_array_equal(
        label_regions(discs, split=True, neck_depth_px=1.5),
        label_regions(discs, split=True, neck_depth_px=0),
    )
    noise = np.random.default_rng(0).random((200, 300))
    rough = cv2.GaussianBlur(noise, (0, 0), 1.2) > np.median(noise)
    counts = [
        label_regions(rough, split=True, neck_depth_px=depth, least_solidity=0).max()
        for depth in (0, 1, 1.5, 4)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 1.5 * counts[2]
    deep = label_regions(rough, split=True, neck_depth_px=50)
    np.testing.assert_array_equal(deep, label_regions(rough))  # no pixel is lost


def test_rough_ground_is_not_cut_into_parts_while_particles_beside_it_are():
    noise = cv2.GaussianBlur(np.random.default_rng(0).random((200, 300)), (0, 0), 1.2)
    mask = noise > np.median(noise)
    mask[:, 200:] = False
    mask[60:132, 203:299] = two_discs(12, 20)
    whole, cut = label_regions(mask), label_regions(mask, split=True)
    assert cut.max() == whole.max() + 1
    every = label_regions(mask, split=True, neck_depth_px=0, least_solidity=0)
    assert every.max() > 2 * whole.max()


def test_winding_ridges_are_reconstructed_to_the_bit_across_tiles():
    height = np.zeros((300, 300), np.float32)
    for row in range(0, 300, 4):  # a snake: 22,000 px of one ridge
        height[row : row + 2] = 1
        height[row : row + 4, -2:] = row % 8 == 0
        height[row : row + 4, :2] = row % 8 == 4
        height[row : row + 2] = 1
    floor = np.zeros_like(height)
    floor[0, 0] = 1
    theirs = skimage.morphology.reconstruction(floor, height).astype(np.float32)
    assert theirs.mean() > 0.4
    for rounds in (400, 3):
        np.testing.assert_array_equal(reconstruct(floor, height, most_rounds=rounds), theirs)


def test_rough_ground_is_one_region_and_particles_packed_like_it_are_many():
    noise = cv2.GaussianBlur(np.random.default_rng(3).random((300, 300)), (0, 0), 2.5)
    holes = noise < np.quantile(noise, 0.1)
    assert label_regions(~holes, split=True, min_area_px=10).max() == 1
    assert label_regions(~holes, split=True, min_area_px=10, least_solidity=0).max() > 20
    rows, cols = np.mgrid[:300, :300]
    packed = np.hypot(rows % 37 - 18, cols % 37 - 18) < 18.9
    assert label_regions(packed).max() == 1
    assert label_regions(packed, split=True, min_area_px=100).max() == 8 * 8
