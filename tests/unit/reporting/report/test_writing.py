import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from core.errors import UserError
from core.imaging.filtering.pipeline import Step
from core.micrograph import Micrograph
from core.reporting.report.writing import report_html, write_report
from tests.unit.reporting.conftest import draw_discs, micrograph, png

HOSTILE = "<script>alert(1)</script>\"' onerror=alert(2) $body ${title} \u202egnp.exe"


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def test_the_file_is_called_report_html_in_a_folder(run, tmp_path):
    result = run([micrograph(0)])
    assert write_report(result, result.out) == result.out / "report.html"
    assert write_report(result, tmp_path / "new" / "mine.html").name == "mine.html"


def test_a_folder_that_cannot_be_written_is_a_user_error(run, tmp_path):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        write_report(run([micrograph(0)]), tmp_path / "taken")


def test_nothing_is_loaded_from_elsewhere(run):
    text = report_html(run([micrograph(seed) for seed in range(3)]))
    for tag, attributes in Page(text).tags:
        for name in ("src", "href", "action", "srcset"):
            assert (attributes.get(name) or "data:").startswith("data:"), tag
    assert "url(" not in text
    assert "@import" not in text


def test_names_cannot_become_markup(run):
    hostile = Micrograph(HOSTILE, draw_discs(0))
    text = report_html(run([hostile, (HOSTILE, b"broken")]))
    page = Page(text)
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not [tag for tag, attributes in page.tags if "onerror" in attributes]
    assert "alert(1)" in "".join(page.texts)
    assert "${title}" in text
    assert "\u202e" not in text


def test_display_names_of_the_model_are_escaped(run):
    text = report_html(run([micrograph(0)]))
    assert "rods &amp; fibres &lt;thin&gt;" in text
    assert "<thin>" not in text


def test_the_policy_lets_only_our_script_run(run):
    import base64
    import hashlib

    text = report_html(run([micrograph(0)]))
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text


def test_failed_micrographs_come_first_with_their_reason(run):
    result = run([micrograph(0), ("broken.tif", b"no")])
    text = report_html(result)
    assert text.index("<h2>Failed</h2>") < text.index("<h2>Classes</h2>")
    assert "1 of 2 micrographs were analysed; 1 failed." in text
    assert "<h2>Failed</h2>" not in report_html(run([micrograph(0)]))


def test_nothing_but_failures_is_a_report_too(run):
    text = report_html(run([("broken.tif", b"no")]))
    assert "The file could not be analysed" in text
    assert "<h2>Results</h2>" not in text


def test_copies_do_not_count_as_fields(run):
    result = run([("a.png", png(0)), ("b.png", png(0)), ("c.png", png(1))])
    assert len(result.fields) == 2
    assert "One of them is a copy" in report_html(result)


def test_one_field_has_no_interval(run):
    text = report_html(run([micrograph(0)]))
    assert 'class="whisker"' not in text
    assert "confidence interval" not in text


def test_two_fields_have_an_interval(run):
    text = report_html(run([micrograph(0), micrograph(1)]))
    assert 'class="whisker"' in text
    assert "n = 2 fields" in text


def test_every_micrograph_is_shown_three_times_with_words(run):
    images = [
        a for t, a in Page(report_html(run([micrograph(0), micrograph(1)]))).tags if t == "img"
    ]
    assert len(images) == 8  # and a small one in the table
    assert sum(bool(image["alt"]) for image in images) == 6
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in images)


def test_nm_columns_are_shown_only_where_a_scale_is_known(run):
    assert "Mean diameter (nm)" not in report_html(run([micrograph(0)]))
    assert "Mean diameter (nm)" in report_html(run([micrograph(0, nm=2.0)]))


def test_methods_name_every_setting(run, recipe):
    filtered = replace(
        recipe, filters=(Step("gaussian", {"sigma_px": 2.5}),), smallest_region_px=17, clusters=4
    )
    text = report_html(run([micrograph(0)], recipe=filtered))
    for words in ("Grad-CAM", "sigma_px=2.5", "4 clusters", "17 px", "unfiltered", "abababab"):
        assert words in text
    assert "python -m core batch" in text


def test_the_report_of_a_batch_is_always_the_same(run, tmp_path):
    first, second = (run([micrograph(0), micrograph(1)], tmp_path / name) for name in "ab")
    assert report_html(first) == report_html(second)


def test_200_micrographs_stay_below_20_mb(run):
    result = run([micrograph(seed, shape=(256, 256)) for seed in range(4)])
    each = (len(report_html(result)) - len(report_html(run([("x", b"")])))) / 4
    assert 200 * each < 20e6
