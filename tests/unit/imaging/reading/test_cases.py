"""Files once read with a wrong scale or with none, each with the values that are right."""

import json
from pathlib import Path

import pytest

from core.imaging.reading.opening import read_micrograph

CASES = Path(__file__).resolve().parents[5] / "shared" / "cases" / "reading"
EXPECTED = CASES / "expected.json"
ROWS = json.loads(EXPECTED.read_text(encoding="utf-8")) if EXPECTED.is_file() else []


@pytest.mark.skipif(not ROWS, reason="../shared/cases/reading is not there")
@pytest.mark.parametrize("row", ROWS, ids=[f"{row['file']}-{row['frame']}" for row in ROWS])
def test_pixel_size_is_one_of_the_right_ones(row: dict) -> None:
    micrograph = read_micrograph(CASES / row["file"], frame=row["frame"])
    size = micrograph.pixel_size
    found = None if size is None else size.to("nm")
    allowed = [pytest.approx(v, rel=1e-3) if v is not None else None for v in row["nm_per_px"]]
    assert found in allowed, (row["why"], micrograph.metadata)
