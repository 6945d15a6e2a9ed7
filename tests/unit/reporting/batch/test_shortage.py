"""What a batch does when memory is short for a while."""

import pandas as pd

from core.errors import OutOfMemory
from core.reporting.batch import pipeline
from core.reporting.batch.analysis import work_bytes
from core.reporting.recipe import Recipe
from tests.unit.reporting.conftest import micrograph


def test_a_micrograph_is_read_again_when_there_is_room(run, monkeypatch):
    tried = []
    parts = pipeline.name_parts

    def short_once(one, *rest):
        tried.append(one.name)
        if tried.count(one.name) == 1 and one.name == "field 1.tif":
            raise OutOfMemory
        return parts(one, *rest)

    monkeypatch.setattr(pipeline, "name_parts", short_once)
    result = run([micrograph(seed) for seed in range(3)])
    assert tried.count("field 1.tif") == 2
    assert list(result.rows["status"]) == ["ok"] * 3
    assert list(result.rows["name"]) == [f"field {n}.tif" for n in range(3)]


def test_without_room_it_keeps_its_sentence(run, monkeypatch):
    def never(one, *rest):
        if one.name == "field 1.tif":
            raise OutOfMemory
        return {}

    monkeypatch.setattr(pipeline, "name_parts", never)
    monkeypatch.setattr(pipeline, "wait_for_memory", lambda needed: False)
    result = run([micrograph(seed) for seed in range(3)])
    assert list(result.rows["status"]) == ["ok", "failed", "ok"]
    assert "not enough memory" in result.rows["reason"][1]


def test_features_and_filters_reserve_more_than_grey_levels():
    grey = work_bytes(1000, Recipe(model="tiny"))
    assert grey < work_bytes(1000, Recipe(model="tiny", clustering="features"))
    assert work_bytes(2000, Recipe(model="tiny")) == 2 * grey


def test_where_memory_is_tight_micrographs_go_one_by_one_to_the_same_rows(
    run, tmp_path, monkeypatch
):
    sources = [micrograph(seed) for seed in range(5)]
    plenty = run(sources, out=tmp_path / "plenty")
    sizes = []
    answer = pipeline.answer
    monkeypatch.setattr(pipeline, "is_tight", lambda: True)
    monkeypatch.setattr(
        pipeline,
        "answer",
        lambda readings, *rest: sizes.append(len(readings)) or answer(readings, *rest),
    )
    tight = run(sources, out=tmp_path / "tight")
    assert sizes == [1] * 5
    pd.testing.assert_frame_equal(tight.rows, plenty.rows)
