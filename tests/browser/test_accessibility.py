"""WCAG 2.1 AA on every page, by day and by night, checked by axe-core; and nothing from elsewhere.

axe-core comes with the package `axe-playwright-python` and is put into the page from the disk.
"""

from pathlib import Path

import pytest

from tests.browser.app_page import AppPage

pytestmark = pytest.mark.browser
PAGES = ("Classify", "Explain", "Filters", "Cluster", "Segment", "Batch_Report")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_meets_wcag_aa(tab: AppPage, scheme: str, tmp_path: Path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    tab.page.emulate_media(color_scheme=scheme)
    tab.open()
    found = violations(tab, "Home, nothing loaded")
    tab.page.get_by_role("button", name="Open a sample report").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Sample report (HTML)").wait_for()
    tab.settle()
    found += violations(tab, "Home, sample report")
    tab.page.keyboard.press("Escape")
    tab.go_to("Filters")
    found += violations(tab, "Filters, nothing loaded")
    tab.open()
    tab.page.get_by_role("button", name="Try it").click()
    tab.page.wait_for_url("**/Classify*")
    tab.settle()
    for name in PAGES:
        tab.go_to(name)
        unfold_sidebar(tab)
        found += violations(tab, name)
    for label in ("As set", "A file"):  # the pointer rests on what is chosen
        tab.page.get_by_text(label, exact=True).click()
        tab.settle()
    found += violations(tab, "Batch Report, a recipe's file")
    tab.assert_calm()
    tab.open()
    tab.page.locator('[data-testid="stFileUploaderDropzoneInput"]').first.set_input_files(broken)
    tab.page.get_by_text("0 added, 1 not").wait_for()
    tab.settle()
    found += violations(tab, "Home, error")
    assert not found, "\n".join(found)
    assert not tab.troubles, tab.troubles


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_results_and_dialogs_meet_wcag_aa(tab: AppPage, scheme: str):
    tab.page.emulate_media(color_scheme=scheme)
    tab.open()
    tab.page.get_by_role("button", name="Simulated dendrites").click()
    tab.settle()
    tab.page.get_by_text("Simulated samples").click()
    tab.page.get_by_role("button", name="Simulated alloys").click()
    tab.page.get_by_role("heading", name="Loaded (2)").wait_for()
    tab.settle()
    tab.page.get_by_role("button", name="Remove several").click()
    tab.settle()
    found = violations(tab, "Home, remove several")
    tab.page.keyboard.press("Escape")
    tab.go_to("Classify")
    tab.page.get_by_text("Classify all 2 loaded micrographs").click()
    tab.settle()
    found += violations(tab, "Classify, all in a table")
    tab.unfold("Model: ")
    tab.page.get_by_role("button", name="Add a model").click()
    tab.page.get_by_role("dialog").wait_for()
    tab.settle()
    found += violations(tab, "Add a model")
    tab.page.keyboard.press("Escape")
    tab.go_to("Explain")
    tab.save_menu()
    found += violations(tab, "Explain, save menu")
    tab.page.keyboard.press("Escape")
    tab.page.get_by_text("All methods", exact=True).click()
    tab.settle()
    found += violations(tab, "Explain, all methods")
    tab.go_to("Cluster")
    for switch in ("Compare numbers of clusters", "Share the evidence out among the clusters"):
        tab.page.get_by_text(switch).click()
        tab.settle()
    tab.page.get_by_text("Every region in a table").click()
    found += violations(tab, "Cluster, all results")
    tab.page.get_by_text("Micrographs", exact=True).first.click()
    tab.settle()
    found += violations(tab, "Cluster, micrographs")
    tab.go_to("Batch_Report")
    tab.page.get_by_role("button", name="Run on 2").click()
    tab.page.get_by_role("heading", name="Results: 2 done, 0 failed").wait_for()
    tab.settle()
    found += violations(tab, "Batch Report, results")
    assert not found, "\n".join(found)
    tab.assert_calm()  # with no request to elsewhere in any of these states


def unfold_sidebar(tab: AppPage) -> None:
    for summary in tab.page.locator('[data-testid="stSidebar"] summary').all():
        summary.click()
    tab.settle()


def violations(tab: AppPage, where: str) -> list[str]:
    """What axe-core finds on the page as it stands, one line each."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    answer = axe.Axe().run(tab.page, options=RULES).response
    return [
        f"{where}: {rule['id']}: {node['html'][:160]} ({node['failureSummary'][:300]})"
        for rule in answer["violations"]
        for node in rule["nodes"]
    ]
