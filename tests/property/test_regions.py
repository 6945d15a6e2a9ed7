"""Laws of region measurement."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.measuring.regions.labels import label_regions
from core.measuring.regions.table import measure_regions
from core.micrograph import PixelSize

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14))
UNCHANGED_BY_TURNING = [
    "area_px", "perimeter_px", "feret_max_px", "feret_min_px", "solidity", "eccentricity",
    "touches_border",
]  # fmt: skip


@settings(deadline=None)
@given(masks)
def test_areas_add_up_to_the_mask_and_shares_stay_in_range(mask):
    frame = measure_regions(mask)
    assert frame["area_px"].sum() == mask.sum()
    assert frame["solidity"].between(0, 1).all()
    assert frame["eccentricity"].between(0, 1).all()
    assert frame["orientation_deg"].between(-90, 90).all()
    assert not (frame["aspect_ratio"] < 1).any()
    assert not (frame["circularity"] > 1).any()
    assert (frame["feret_min_px"] <= frame["feret_max_px"] + 1e-9).all()
    assert (frame["feret_max_px"] >= frame["equivalent_diameter_px"] * 0.88).all()


@settings(deadline=None)
@given(masks)
def test_quarter_turns_change_no_shape(mask):
    plain = measure_regions(mask)[UNCHANGED_BY_TURNING].to_numpy(float)
    turned = measure_regions(np.rot90(mask))[UNCHANGED_BY_TURNING].to_numpy(float)

    def ordered(table):
        table = np.round(table, 6)
        return table[np.lexsort(table.T)]

    np.testing.assert_allclose(ordered(plain), ordered(turned), atol=2e-6)


@settings(deadline=None)
@given(masks)
def test_splitting_cuts_regions_and_loses_no_pixel(mask):
    whole, parts = label_regions(mask), label_regions(mask, split=True)
    np.testing.assert_array_equal(parts > 0, mask)
    owners = {(part, of) for part, of in zip(parts[mask], whole[mask], strict=True)}
    assert len(owners) == parts.max()  # no part reaches over two regions
    firsts = [int(np.flatnonzero(parts == n)[0]) for n in range(1, int(parts.max()) + 1)]
    assert firsts == sorted(firsts)


@settings(deadline=None)
@given(masks, st.integers(1, 6))
def test_labels_match_the_table(mask, min_area_px):
    labels = label_regions(mask, min_area_px=min_area_px)
    frame = measure_regions(mask, min_area_px=min_area_px)
    np.testing.assert_array_equal(np.bincount(labels.ravel())[1:], frame["area_px"])
    assert (frame["area_px"] >= min_area_px).all()


@settings(deadline=None)
@given(masks, st.floats(1e-3, 1e3))
def test_the_pixel_size_scales_lengths_and_areas_only(mask, value):
    size = PixelSize(value, "nm")
    unit, edge = size.length_unit, size.to(size.length_unit)
    plain, scaled = measure_regions(mask), measure_regions(mask, size)
    np.testing.assert_allclose(scaled[f"area_{unit}2"], plain["area_px"] * edge**2)
    np.testing.assert_allclose(scaled[f"feret_max_{unit}"], plain["feret_max_px"] * edge)
    np.testing.assert_array_equal(scaled["circularity"], plain["circularity"])
