import numpy as np
import pytest

from core.micrograph import Micrograph
from core.ui.parts import say, show


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name 12", "plain name 12"),
        ("a_b*c", r"a\_b\*c"),
        ("<b>", r"\<b\>"),
        ("[x](http://y)", "\\[x\\]\\(http\u2060\\://y\\)"),
        ("$x$ :red[y] `z`", r"\$x\$ \:red\[y\] \`z\`"),
        ("two\nlines", "two lines"),
    ],
)
def test_plain_text_is_never_markup(text, shown):
    assert say.plain(text) == shown


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("grid 3.tif", "grid_3"),
        ("../../etc/passwd", "etc_passwd"),
        ("…", "micrograph"),
        ("x" * 200 + ".png", "x" * 60),
    ],
)
def test_download_name_has_no_path_and_no_ending(name, stem):
    assert show.file_stem(Micrograph(name, np.zeros((1, 1), np.uint8))) == stem
