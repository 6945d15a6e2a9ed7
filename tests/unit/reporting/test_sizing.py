"""Where pixel sizes are from is told for every rule, and for each sample that the recipe states."""

import pytest

from core.reporting import sizing
from core.reporting.recipe import Recipe
from core.reporting.report.writing import report_html
from tests.unit.reporting.conftest import micrograph


@pytest.mark.parametrize(
    ("stated", "long", "brief"),
    [
        ({}, "files state or that were set by hand.", "from the files, or set by hand"),
        ({"pixel_size_from": "read"}, "agreed within 3 %.", "or read from the picture"),
        ({"pixel_size_from": "2.5 nm"}, "a pixel size of 2.5 nm.", "2.5 nm for all"),
        (
            {"pixel_sizes": (("A", "2 nm"), ("B", "1 µm"))},
            "The recipe states those of the samples A (2 nm), B (1 µm).",
            "set by hand; A (2 nm), B (1 µm)",
        ),
    ],
)
def test_every_rule_has_its_words(stated, long, brief):
    recipe = Recipe(**stated)
    assert sizing.describe(recipe).endswith(long)
    assert sizing.describe_briefly(recipe).endswith(brief)


def test_of_many_samples_the_first_are_told():
    recipe = Recipe(pixel_sizes=tuple((f"S{n}", "2 nm") for n in range(20)))
    assert sizing.describe(recipe).endswith("S11 (2 nm), 8 more.")


def test_the_report_names_the_samples_and_their_sizes(run, recipe):
    from dataclasses import replace

    stated = replace(recipe, sample_from="name:1", pixel_sizes=(("A<b>", "2 nm"),))
    result = run([micrograph(0, "A<b> 1.tif"), micrograph(1, "B 1.tif", nm=3)], recipe=stated)
    text = report_html(result)
    assert "the samples A&lt;b&gt; (2 nm)" in text
    assert result.rows["pixel_size_nm"].tolist() == [2, 3]
