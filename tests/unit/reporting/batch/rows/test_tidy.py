"""Tidy tables: one thing a file, ASCII headings, digits as the error allows, all explained."""

import numpy as np
import pandas as pd
import pytest

from core.reporting.batch.rows.tidy.columns import ascii_names, describe_columns, round_columns
from core.reporting.batch.rows.tidy.tables import (
    CLUSTERS,
    COLUMNS,
    FIELDS,
    PROBABILITIES,
    REGIONS,
)
from tests.unit.reporting.conftest import CLASSES, micrograph


def test_names_become_ascii_and_stay_different():
    names = ["area_µm2", "area_μm2", "p_Größe & Form", "显微", "name"]
    assert ascii_names(names) == ["area_um2", "area_um2_2", "p_Groe_Form", "column", "name"]


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("equivalent_diameter_px", 12.3456789, 12.35),
        ("equivalent_diameter_nm", 123456.789, 123460.0),
        ("area_µm2", 0.000123456789, 0.00012346),
        ("target_percent", 21.23456, 21.23),
        ("probability", 0.987654321, 0.9877),
        ("orientation_deg", -12.34, -12.3),
        ("pixel_size_nm", 1.23456789, 1.23456789),
    ],
)
def test_digits_are_as_many_as_carry_something(name, value, written):
    rounded = round_columns(pd.DataFrame({name: [value, np.nan]}))
    assert rounded.iloc[0, 0] == written
    assert np.isnan(rounded.iloc[1, 0])


def test_an_area_in_pixels_has_their_square_as_unit():
    table = pd.DataFrame({"area_px": [4], "feret_max_px": [2.0], "target_percent": [1.0]})
    assert [column.unit for column in describe_columns(table)] == ["px²", "px", "%"]


@pytest.fixture
def written(run):
    result = run([micrograph(0, nm=1.5), micrograph(1), ("broken.tif", b"x")])
    names = (FIELDS, PROBABILITIES, CLUSTERS, REGIONS, COLUMNS)
    return result, {name: pd.read_csv(result.out / name) for name in names}


def test_each_file_has_one_kind_of_row_and_no_column_twice(written):
    result, tables = written
    assert set(tables) <= set(result.files)
    for name, table in tables.items():
        head = (result.out / name).read_text(encoding="utf-8-sig").splitlines()[0].split(",")
        assert len(set(head)) == len(head)
        assert all(column.isascii() for column in head)
        assert not [column for column in table if column.endswith(".1")]
    assert len(tables[FIELDS]) == 3
    assert len(tables[PROBABILITIES]) == 2 * len(CLASSES)
    assert len(tables[CLUSTERS]) == 2 * 2
    assert len(tables[REGIONS]) == len(result.regions) > 0


def test_tidy_tables_say_what_the_exact_ones_say(written):
    result, tables = written
    for number, group in tables[PROBABILITIES].groupby("number"):
        row = result.rows[result.rows["number"] == number].iloc[0]
        ours = [row[f"p_{name}"] for name in group["class"]]
        assert group["probability"].to_numpy() == pytest.approx(ours, abs=5.1e-5)
    for number, group in tables[CLUSTERS].groupby("number"):
        row = result.rows[result.rows["number"] == number].iloc[0]
        assert group["percent"].sum() == pytest.approx(100, abs=0.02)
        target = group[group["is_target"]]["percent"].tolist()
        assert target == pytest.approx([row["target_percent"]], abs=5.1e-3)
    exact = result.regions["equivalent_diameter_px"].to_numpy()
    assert tables[REGIONS]["equivalent_diameter_px"].to_numpy() == pytest.approx(exact, abs=5.1e-3)


def test_every_column_of_every_table_is_explained(written):
    result, tables = written
    told = tables[COLUMNS]
    for name in ("results.csv", "regions.csv", FIELDS, PROBABILITIES, CLUSTERS, REGIONS):
        mine = told[told["file"] == name]
        spelling = "ascii" if name.startswith("tidy/") else "column"
        assert mine[spelling].tolist() == list(pd.read_csv(result.out / name).columns)
        assert mine["meaning"].str.len().gt(3).all()
