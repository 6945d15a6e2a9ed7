"""What was measured by hand travels with a batch: its table, its ZIP and its report."""

import zipfile
from io import StringIO

import pandas as pd
import pytest

from core.measuring.by_hand import Shape
from core.micrograph import PixelSize
from core.reporting.batch import add_by_hand, list_by_hand, relabel, write_zip
from core.reporting.report.writing import report_html
from tests.unit.reporting.conftest import micrograph

RULERS = (Shape("ruler", ((0, 0), (30, 40)), "one"), Shape("ruler", ((0, 0), (0, 70)), "<b>two"))


def test_lengths_with_and_without_a_scale_are_told_apart() -> None:
    angle = Shape("angle", ((0, 0), (0, 10), (10, 10)))
    table = list_by_hand([("a", PixelSize(2, "nm"), RULERS), ("b", None, (angle, RULERS[0]))])
    assert table["micrograph"].tolist() == ["a", "a", "b", "b"]
    assert table["length_nm"].tolist()[:2] == [100, 140]
    assert table["length_px"].tolist()[3] == 50
    assert table["angle_deg"][2] == 90
    assert list(table.columns[-2:]) == ["row_px", "column_px"]
    assert list_by_hand([("a", None, ())]).empty


def test_a_batch_carries_them_on(run) -> None:
    plain = run([micrograph(0)])
    assert "Measured by hand" not in report_html(plain)
    result = add_by_hand(plain, list_by_hand([("a", PixelSize(2, "nm"), RULERS)]))
    text = report_html(result)
    assert "Measured by hand (2)" in text
    assert "&lt;b&gt;two" in text
    assert "100 nm" in text
    assert '<td class="number">2</td><td class="number">120</td><td class="number">28.28' in text
    for each in (result, relabel(result, {})):
        with zipfile.ZipFile(write_zip(each)) as packed:
            assert "by_hand.csv" in packed.namelist()
            read = pd.read_csv(StringIO(packed.read("by_hand.csv").decode("utf-8-sig")))
        assert read["length_nm"].tolist() == pytest.approx([100, 140])
