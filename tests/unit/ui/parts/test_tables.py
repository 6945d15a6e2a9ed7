import numpy as np
import pandas as pd
import pytest

from core.imaging.scale.words import set_pixel_size
from core.measuring.clustering import cluster_gray
from core.measuring.regions.table import measure_regions
from core.micrograph import Micrograph, PixelSize
from core.ui.parts import tables


@pytest.mark.parametrize(
    ("pixels", "size", "text"),
    [
        (1234, None, "1\u202f234 px²"),
        (10, PixelSize(2, "nm"), "40 nm²"),
        (1_000_000, PixelSize(2, "nm"), "4 µm²"),
        (1_000_000, PixelSize(1, "µm"), "1 mm²"),
    ],
)
def test_area_has_the_unit_that_fits(pixels, size, text):
    assert tables.write_area(pixels, size) == text


def test_headings_carry_their_units():
    frame = pd.DataFrame(columns=["area_nm2", "feret_max_µm", "orientation_deg", "mean_grey"])
    wanted = ["area (nm²)", "feret max (µm)", "orientation (°)", "mean grey"]
    assert list(tables.regions(frame).columns) == wanted


def test_legend_shares_add_up_and_swatches_are_pictures():
    pixels = np.array([[0, 0, 100, 200]], np.uint8)
    micrograph = Micrograph("m", pixels)
    legend = tables.cluster_legend(cluster_gray(micrograph, 3), micrograph)
    assert legend["share (%)"].tolist() == [50, 25, 25]
    assert legend["colour"].str.startswith("data:image/png;base64,").all()


def test_summary_counts_regions():
    mask = np.zeros((9, 9), bool)
    assert tables.regions_summary(measure_regions(mask)) == "No region is large enough."
    mask[1:3, 1:3] = True
    assert tables.regions_summary(measure_regions(mask)).startswith("1 region ·")


def test_only_the_ends_are_called_darkest_and_brightest():
    titles = [tables.cluster_title(number, 3) for number in range(3)]
    assert titles == ["cluster 0 (darkest)", "cluster 1", "cluster 2 (brightest)"]


def test_regions_file_says_who_states_the_pixel_size():
    mask = np.zeros((9, 9), bool)
    mask[1:3, 1:3] = True
    micrograph = set_pixel_size(Micrograph("m", np.zeros((9, 9), np.uint8)), PixelSize(3, "nm"))
    csv = tables.regions_csv(measure_regions(mask, micrograph.pixel_size), micrograph)
    head, row = csv.decode("utf-8-sig").splitlines()
    assert head.endswith("pixel_size_nm,pixel_size_source")
    assert row.endswith("3.0,set by hand")
