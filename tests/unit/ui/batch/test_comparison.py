"""Samples of a batch are compared on its page, by fields."""

import pandas as pd
from streamlit.testing.v1 import AppTest


def page() -> None:
    from types import SimpleNamespace

    import pandas as pd

    from core.reporting.batch import Units
    from core.reporting.recipe import Recipe
    from core.ui.batch import comparison

    fields = pd.DataFrame(
        {
            "sample": ["*a*", "*a*", "b", "b"],
            "target_percent": [10.0, 12, 20, 22],
            "mean_diameter_px": [5.0, 6, 7, 8],
            "mean_diameter_nm": [float("nan")] * 4,
            "pixel_size_nm": [float("nan")] * 4,
            "regions": [10] * 4,
            "width_px": [100] * 4,
            "height_px": [100] * 4,
            "excluded_percent": [0.0] * 4,
        }
    )
    comparison.draw(SimpleNamespace(fields=fields, recipe=Recipe()), Units("px", "px"))


def test_differences_stand_in_a_table() -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    assert app.expander[0].label == "Samples compared (1)"
    table: pd.DataFrame = app.dataframe[0].value
    assert table["difference"].tolist()[0] == 10
    assert table["sample"].tolist()[0] == "b"
