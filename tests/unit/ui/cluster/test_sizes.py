"""Sentences on how sure an area is."""

from math import nan

from core.measuring.statistics import Interval
from core.ui.cluster.sizes import describe_area

POINTS = Interval(0.3, 0.25, 0.35, 400)


def test_too_few_tiles_give_no_interval_and_say_why():
    said = describe_area(1, Interval(0.257, nan, nan, 1), POINTS, 10_000, None)
    assert "nan" not in said
    assert "95 %:" not in said.split("No interval: ")[0]
    assert "No interval: what counts fills fewer than 4 tiles" in said


def test_enough_tiles_give_one():
    said = describe_area(1, Interval(0.257, 0.2, 0.3, 64), POINTS, 10_000, None)
    assert "Cluster 1 covers **25.7\u00a0%** of what counts (95 %: 20.0 to 30.0\u00a0%)" in said
    assert "64 tiles" in said
