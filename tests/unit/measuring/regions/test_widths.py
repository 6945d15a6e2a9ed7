import numpy as np
import pytest

from core.measuring.regions.widths import local_thickness, measure_widths, order_parameter
from core.micrograph import PixelSize


def fibre(width, degrees, side=161, off=0.0):
    """Return a straight fibre through the middle; degrees count counter-clockwise as seen."""
    rows, cols = np.mgrid[:side, :side] - (side - 1) / 2 - off
    angle = np.deg2rad(degrees)
    return np.abs(cols * np.sin(angle) + rows * np.cos(angle)) <= width / 2


@pytest.mark.parametrize("width", [5, 7, 9, 15, 31])
@pytest.mark.parametrize("degrees", [0, 20, 45, 65, 90])
def test_drawn_fibres_have_their_width_and_direction(width, degrees):
    found = measure_widths(fibre(width, degrees))
    truth = width
    if degrees == 45:  # the pixels of a slanted fibre come in steps of 0.71 px
        truth = fibre(width, 45, 1601).sum() / (1601 * np.sqrt(2))
    assert np.median(found.widths) == pytest.approx(truth, rel=0.03)
    assert found.widths.mean() == pytest.approx(truth, rel=0.03)
    turn = (found.main_direction_deg - degrees + 90) % 180 - 90
    assert abs(turn) < 1
    assert found.order > 0.999


@pytest.mark.parametrize("width", [5, 9, 15])
@pytest.mark.parametrize("degrees", [(0, 90), (20, 80), (15, 45)])
def test_fibres_have_their_width_where_they_cross(width, degrees):
    mask = fibre(width, degrees[0], 321) | fibre(width, degrees[1], 321, 20)
    found = measure_widths(mask, PixelSize(2, "nm"))
    assert found.unit == "nm"
    assert np.median(found.widths) == pytest.approx(2 * width, rel=0.03)
    assert found.widths.mean() == pytest.approx(2 * width, rel=0.03)
    thick = found.thickness[found.thickness > 0]
    assert np.median(thick) == pytest.approx(2 * width, rel=0.03)


def test_a_ring_has_the_width_of_its_wall_and_no_direction():
    away = np.hypot(*(np.mgrid[:301, :301] - 150))
    found = measure_widths((away <= 100) & (away > 88))
    assert np.median(found.widths) == pytest.approx(12, rel=0.03)
    assert found.order < 0.02
    assert found.rose().share_pct.max() < 9  # 18 bins of 5.6 %
    row = found.to_frame().iloc[0]
    assert row["width_d50_px"] == pytest.approx(12, rel=0.03)


def test_what_is_hidden_is_no_edge():
    mask = fibre(20, 0)
    included = np.ones_like(mask)
    included[:76] = False  # hides the upper edge of the fibre and a little more
    found = measure_widths(mask, included=included)
    assert found.widths.size == 0
    assert np.isnan(found.thickness[:76]).all()
    included[:] = True
    included[:, 80:] = False
    half = measure_widths(mask, included=included)
    assert np.median(half.widths) == pytest.approx(21, rel=0.03)
    along_the_frame = np.zeros((60, 60), bool)
    along_the_frame[:10] = True
    assert measure_widths(along_the_frame).widths.size == 0


def test_nothing_and_everything_have_no_width():
    for mask in (np.zeros((20, 20), bool), np.ones((20, 20), bool)):
        found = measure_widths(mask)
        assert found.widths.size == 0
        assert np.isnan(found.order)
        assert found.to_frame().shape == (1, 8)
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        measure_widths(np.ones(5, bool))


def test_local_thickness_is_that_of_the_largest_disc_around():
    random = np.random.default_rng(0)
    diameters = np.where(random.random((40, 40)) < 0.01, random.uniform(2, 25, (40, 40)), 0)
    found = local_thickness(diameters.astype(np.float32))
    rows, cols = np.mgrid[:40, :40]
    wanted = np.zeros((40, 40))
    for row, col in np.argwhere(diameters):
        disc = np.hypot(rows - row, cols - col) <= diameters[row, col] / 2
        wanted[disc] = np.maximum(wanted[disc], diameters[row, col])
    close = np.abs(found - wanted) <= 0.06 * wanted
    assert close.mean() > 0.95  # discs in bins of 6 %: rims of a pixel may differ


def test_order_parameter_by_hand():
    assert order_parameter(np.array([30.0, 30, -150])) == pytest.approx((1, 30))
    assert order_parameter(np.array([0.0, 90]))[0] == pytest.approx(0, abs=1e-12)
    # cos of twice the angles: 1, 1, -1: a third
    assert order_parameter(np.array([0.0, 0, 90]))[0] == pytest.approx(1 / 3)
