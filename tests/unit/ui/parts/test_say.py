"""What is put into a sentence is never markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.ui.parts import say

HOSTILE = [
    "![x](http://127.0.0.1:1/c.png)",
    "[link](http://127.0.0.1:1)",
    "<img src=http://127.0.0.1:1/c.png>",
    "http://127.0.0.1:1/c.png",
    "www.example.org",
    "a@example.org",
    ":red[alarm] :material/help:",
    "`code` **bold** $x$",
    "# heading",
    "1. list",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(text: str) -> None:
    written = say.line("The class {name} is probable.", name=text)
    html = MarkdownIt("commonmark", {"html": True}).render(written)
    assert not any(tag in html for tag in ("<img", "<a ", "<code", "<strong", "<h1", "<li"))
    assert "www.example" not in written


def test_our_own_markup_stays() -> None:
    assert say.line("**{name}**: {share:.1f} %", name="alloys", share=3.25) == "**alloys**: 3.2 %"


@pytest.mark.parametrize("text", ["24.3\u00a0%", "1024 × 768 px", "Grad", "–", "12.5 nm"])
def test_numbers_with_units_are_left_as_they_are(text: str) -> None:
    assert say.line("{value}", value=text) == text


@given(st.text(max_size=60))
def test_no_text_becomes_an_element(text: str) -> None:
    written = say.line("x {name} y", name=text)
    tokens = MarkdownIt("commonmark").parse(written)
    inline = [child.type for token in tokens for child in token.children or ()]
    assert set(inline) <= {"text", "softbreak", "hardbreak", "text_special"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (23.87, "23.9"),
        (1528.0, "1\u202f530"),
        (-1528.0, "-1\u202f530"),
        (2.5e6, "2\u202f500\u202f000"),
        (1e12, "1e+12"),
    ],
)
def test_sizes_are_written_without_powers_of_ten(value: float, written: str) -> None:
    assert say.line("{d:.3g} nm", d=value) == f"{written} nm"
