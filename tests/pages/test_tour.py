"""The first minute: one click loads samples of every class and leads through the pages."""

import json
from pathlib import Path

from core.reporting.report.sample import NOTE, read_sample_report
from tests.pages.steps import assert_calm, loaded_names, texts

MODELS = Path(__file__).resolve().parents[2] / "models"
PAGES = ("1_Classify", "2_Explain", "3_Filters", "4_Cluster", "5_Segment", "6_Batch_Report")


def test_try_it_loads_every_class_and_leads_through_the_pages(app):
    assert "Next:" not in str([link.label for link in app.get("page_link")])
    app.button(key="tour_start").click().run()
    assert app.title[0].value == "Classify"
    assert sorted(loaded_names(app)) == [
        "simulated alloys 1",
        "simulated dendrites 1",
        "simulated polyhedra 1",
        "simulated rods & fibres 1",
        "simulated spheroids 1",
    ]
    for place, page in enumerate(PAGES, 1):
        app.switch_page(f"pages/{page}.py").run()
        assert_calm(app)
        assert f"**{place} of 6**" in texts(app)
    app.button(key="tour_end").click().run()
    assert "of 6**" not in texts(app)


def test_try_it_adds_no_sample_twice(app):
    app.button(key="home_sample_alloys").click().run()
    app.button(key="tour_start").click().run()
    assert len(loaded_names(app)) == 5
    assert_calm(app)


def test_sample_report_opens_at_once(app):
    app.button(key="tour_report").click().run()
    assert_calm(app)
    assert NOTE in texts(app)


def test_sample_report_was_made_with_the_model_that_is_shipped():
    """After a change of the model: `python -m core.reporting.report.sample`."""
    html = read_sample_report()
    card = json.loads((MODELS / "em-morph5-2" / "card.json").read_text(encoding="utf-8"))
    assert card["sha256"] in html
    assert NOTE in html
    assert html.count('<td class="name">simulated ') >= 10
    assert "http://" not in html.replace("http://www.w3.org/", "")
    assert len(html) < 1_000_000
