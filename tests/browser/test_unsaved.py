"""Leaving a tab: the browser asks while work by hand is unsaved, and only then."""

from pathlib import Path

import pytest

from tests.browser.app_page import AppPage

pytestmark = pytest.mark.browser


def leave(tab: AppPage) -> list[str]:
    """Reload the tab, agreeing to every question; return which were asked."""
    asked: list[str] = []

    def agree(dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    tab.page.on("dialog", agree)
    tab.page.reload()
    tab.page.remove_listener("dialog", agree)
    tab.settle()
    return asked


def load_two(tab: AppPage) -> None:
    tab.page.get_by_role("button", name="Simulated dendrites").click()
    tab.settle()
    tab.page.get_by_text("Simulated samples", exact=True).click()
    tab.page.get_by_role("button", name="Simulated alloys").click()
    tab.settle()


def name_samples(tab: AppPage, folder: Path) -> None:
    table = folder / "samples.csv"
    table.write_text("name,sample\nsimulated dendrites 1,Gold\nsimulated alloys 1,Steel\n")
    tab.page.get_by_role("button", name="By hand or from a table").click()
    field = tab.page.locator('[data-testid="stPopoverBody"] input[type="file"]')
    field.set_input_files(str(table))
    tab.page.get_by_text("Gold 1 · Steel 1").wait_for()
    tab.settle()
    tab.page.keyboard.press("Escape")


def test_the_browser_asks_only_while_work_is_unsaved(tab: AppPage, tmp_path: Path):
    load_two(tab)
    assert leave(tab) == []  # samples are there again with a click
    tab.open()
    load_two(tab)
    name_samples(tab, tmp_path)
    tab.go_to("Filters")
    tab.go_to("")  # from page to page nothing is lost
    tab.page.get_by_role("button", name="Save study").click()
    with tab.page.expect_download():
        tab.page.locator(".st-key-study_download button").click()
    assert leave(tab) == []
    tab.open()
    load_two(tab)
    name_samples(tab, tmp_path)
    assert leave(tab) == ["beforeunload"]
