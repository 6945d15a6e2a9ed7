"""How wrong a batch's numbers are, by look-alikes of a typical field of each sample."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import UserError
from core.measuring.twins import QUANTITIES
from core.micrograph import Micrograph
from core.reporting.batch import csv_bytes, describe_twins
from core.reporting.recipe import Recipe
from core.reporting.report.writing import report_html
from tests.unit.reporting.conftest import micrograph


def table(sample="A", refusal="", **errors):
    rows = [
        {"sample": sample, "twins": 20, "refusal": refusal, "quantity": name}
        | dict(
            zip(
                ("error", "error_low", "error_high"),
                errors.get(name, (0, -0.02, 0.03)),
                strict=True,
            )
        )
        for name in QUANTITIES
    ]
    return pd.DataFrame(rows)


def test_each_sample_is_judged_by_a_typical_field_and_the_report_says_it(run, recipe):
    sources = [micrograph(seed, f"{'AB'[seed % 2]}_{seed}.tif", nm=2.0) for seed in range(3)]
    result = run(sources, recipe=replace(recipe, sample_from="name:start", twins=3))
    assert list(dict.fromkeys(result.twins["sample"])) == ["A", "B"]
    assert len(result.twins) == 2 * len(QUANTITIES)
    assert (result.out / "twins.csv").read_bytes() == csv_bytes(result.twins)
    assert "twins.csv" in result.files
    html = report_html(result)
    assert html.count("look-alikes of its typical field") + html.count("by look-alikes:") >= 2
    assert "3 simulated look-alikes of a typical field" in html
    by_sample = result.twins.set_index(["sample", "quantity"])
    row = result.rows.set_index("number").loc[by_sample.loc[("A", "count"), "number"]]
    assert by_sample.loc[("A", "count"), "measured"] == row["regions"]
    assert by_sample.loc[("A", "fraction"), "measured"] == pytest.approx(
        row["target_percent"] / 100, abs=0.02
    )


def test_nothing_is_judged_where_no_look_alikes_are_asked_for(run, recipe):
    result = run([micrograph(0)], recipe=recipe)
    assert result.twins.empty
    assert not (result.out / "twins.csv").exists()
    assert "look-alikes" not in report_html(result)


def test_a_field_that_cannot_be_imitated_says_why(run, recipe):
    blank = Micrograph("even", np.tile(np.arange(64, dtype=np.uint8), (64, 1)))
    result = run([blank], recipe=replace(recipe, twins=3, smallest_region_px=1_000_000))
    assert "Nothing was measured" in describe_twins(result.twins, "")
    assert "Nothing was measured" in report_html(result)


def test_a_side_is_named_only_where_the_limits_leave_out_zero():
    said = describe_twins(table(count=(-0.08, -0.15, -0.02), d50=(np.nan,) * 3), "A")
    assert said == (
        "By 20 look-alikes of its typical field, which show noise, blur and touching but not "
        "texture or depth, the area is right within 3 points, the count is read 8 % too low "
        "(−15 to −2 %), and how wrong D50 is read is not known."
    )
    assert describe_twins(table(refusal="It is noise."), "A").endswith("look-alikes: It is noise.")
    assert describe_twins(table(), "B") == describe_twins(pd.DataFrame(), "A") == ""


@pytest.mark.parametrize("twins", [1, 2, -1, 501, 3.0, True])
def test_too_few_or_too_many_look_alikes_are_refused(twins):
    with pytest.raises(ValueError, match="twins must be"):
        Recipe(twins=twins)
    text = Recipe(twins=20).to_json().replace('"twins": 20', f'"twins": {str(twins).lower()}')
    with pytest.raises(UserError, match="twins"):
        Recipe.from_json(text)
    assert Recipe.from_json(Recipe(twins=20).to_json()).twins == 20
