import math
from dataclasses import replace

import numpy as np
import pytest

from core.imaging.filtering.pipeline import Step
from core.learning.models import Classifier
from core.learning.models.preparation import CentreCrop
from core.measuring.clustering import FeatureSet
from core.measuring.statistics.intervals import Interval
from core.reporting import figures
from core.reporting.escaping import escape
from core.reporting.recipe import Recipe
from core.reporting.recipe_words import target_title
from core.reporting.report.wording import (
    interval,
    methods,
    number,
    percent,
    summary,
    trust_facts,
    with_limits,
)
from tests.unit.reporting.conftest import micrograph, png

SPACE = "\u00a0"


def test_escape_serves_text_and_attributes():
    assert (
        escape("""<a href="x" id='y'>&""") == "&lt;a href=&quot;x&quot; id=&#x27;y&#x27;&gt;&amp;"
    )


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\x00", "\x1b", "\ud800"])
def test_characters_that_hide_or_turn_text_are_shown(character):
    assert escape(f"a{character}b") == "a\ufffdb"


def test_letters_of_any_language_stay():
    assert escape("µm 显微 é") == "µm 显微 é"


def test_small_percentages_are_not_zero():
    assert percent(0.0) == f"0.0{SPACE}%"
    assert percent(0.01) == f"under{SPACE}0.1{SPACE}%"
    assert percent(12.34) == f"12.3{SPACE}%"


def test_unknown_numbers_are_a_dash():
    assert number(math.nan, "mean_diameter_nm") == "–"
    assert number(12.0, "regions") == "12"
    assert number(12.3456, "target_percent") == "12.3"
    assert number(0.000123456, "target_area_µm2") == "0.0001235"


def test_area_intervals_stay_within_0_and_100():
    assert interval(Interval(5.0, -2.0, 12.0, 3)) == "5.0 % (0.0–12.0 %), n = 3"
    assert interval(Interval(5.0, math.nan, math.nan, 1)) == "5.0 %, n = 1"


def test_dots_of_fields_are_in_no_legend():
    figure = figures.area_intervals([], fields={"a": np.array([1.0, 2.0])})
    assert figure.layout.showlegend is False  # plotly would call the means “trace 0”


@pytest.mark.parametrize(
    ("target", "words"), [(-1, "brightest"), (0, "darkest"), (1, "0 is the darkest")]
)
def test_the_target_is_described_by_its_place(target, words):
    assert words in target_title(Recipe(clusters=3, target_cluster=target))


def test_summaries_count_correctly(run):
    def words(*sources):
        result = run(list(sources))
        fields = result.succeeded[result.succeeded["duplicate_of"].isna()]
        return summary(result, fields)

    assert words(micrograph(0)).startswith("One micrograph was analysed.")
    assert words(micrograph(0), micrograph(1)).startswith("All 2 micrographs were analysed.")
    three = words(("a", png(0)), ("b", png(0)), ("c", png(0)))
    assert "2 of them are copies" in three
    assert words(("x", b""), ("y", b"")) == (
        "None of the 2 files could be analysed; the reasons are below."
    )


def test_methods_say_which_part_of_a_frame_the_network_saw(run, classifier):
    result = run([micrograph(0)])
    assert "Each whole frame was classified" in methods(result)
    crop = Classifier(
        classifier.network, replace(classifier.card, preparation=CentreCrop().to_dict())
    )
    told = methods(run([micrograph(0)], classifier=crop))
    assert "Each frame's centre was classified" in told
    assert "whole frame" not in told


def test_methods_name_the_weight_of_the_position_and_no_native_levels_after_filters(run, recipe):
    placed = replace(
        recipe, clustering="features", features=FeatureSet(position=True, position_weight=0.7)
    )
    assert "position weighed 0.7" in methods(run([micrograph(0)], recipe=placed))
    assert "native grey levels" in methods(run([micrograph(0)]))
    smoothed = replace(recipe, filters=(Step("gaussian", {"sigma_px": 2.0}),))
    assert "native" not in methods(run([micrograph(0)], recipe=smoothed))


def test_the_record_is_that_of_whole_frames_when_the_card_has_one(run, classifier):
    record = {"pictures": 50, "balanced_accuracy": 0.7}
    metrics = {"pictures": record, "whole_frames": {**record, "balanced_accuracy": 0.9}}
    for held, expected in ((metrics, "90 %"), ({"pictures": record}, "70 %"), (record, "70 %")):
        network = Classifier(classifier.network, replace(classifier.card, metrics=held))
        facts = trust_facts(run([micrograph(0)], classifier=network))
        assert facts["On held-out micrographs"].startswith(f"balanced accuracy {expected}")


def test_a_share_never_lies_outside_what_a_share_can_be():
    from core.measuring.statistics import mean_interval
    from core.reporting.report import numbers

    wide = mean_interval(np.array([0.0, 100.0]))
    assert wide.high - wide.estimate > 600
    assert numbers._share(wide) == "50 (0.0–100.0)"
    assert numbers._share(mean_interval(np.array([12.5]))) == "12.5"
    assert numbers._share(mean_interval(np.array([]))) == "–"
    assert numbers._mean(mean_interval(np.array([1.0, 3.0]))).startswith("2 ± ")


def test_methods_say_what_filters_picked_and_what_percentiles_are_by(run, recipe):
    auto = Step("rolling_ball", {"ground": "auto", "radius_px": 20})
    said = methods(run([micrograph(1)], recipe=replace(recipe, filters=(auto,), sizes_by="volume")))
    assert "picked in each micrograph by itself (Rolling ball" in said
    assert "percentiles by volume of spheres of these diameters" in said


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((-24.0531, -35.372, -12.734), ("−24", "−35 to −13")),
        ((11.85, 7.002, 16.7), ("+11.8", "7.0 to 16.7")),
        ((5.502, 0.5363, 10.47), ("+5.5", "0.5 to 10.5")),
        ((79.31, -111.1, 269.7), ("+79", "−111 to 270")),
        ((0.01234, 0.01034, 0.01434), ("+0.0123", "0.0103 to 0.0143")),
        ((-0.04, -3.0, 2.9), ("+0.0", "−3.0 to 2.9")),
        ((1.0, math.nan, math.nan), ("+1", "–")),
        ((math.nan, math.nan, math.nan), ("–", "–")),
        ((3.0, 3.0, 3.0), ("+3", "3 to 3")),
    ],
)
def test_a_difference_has_the_digits_that_its_limits_allow(values, shown):
    assert with_limits(*values) == shown
