"""Every page's main states, by day and by night, look as they did when they were accepted.

`MICROGRAPHIA_ACCEPT_LOOKS=1 pytest tests/browser/test_look.py` accepts what is seen now; look at
the pictures in `accepted/` before they are committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.browser.app_page import AppPage
from tests.browser.looks import ACCEPTED, MOST_FAR, MOST_MEAN, SIZE_WH, differences, shrink

pytestmark = pytest.mark.browser
ACCEPTS = os.environ.get("MICROGRAPHIA_ACCEPT_LOOKS") == "1"
TASKS = ("Classify", "Explain", "Filters", "Segment", "Cluster", "Batch_Report", "Train")


def test_pages_look_as_accepted(tab: AppPage, tmp_path: Path) -> None:
    tab.page.set_viewport_size({"width": SIZE_WH[0], "height": SIZE_WH[1]})
    tab.page.emulate_media(reduced_motion="reduce")
    tab.open()
    off = look(tab, "Home_empty")
    tab.upload(drawn(tmp_path))
    off += look(tab, "Home_loaded")
    for name in TASKS:
        tab.go_to(name)
        off += look(tab, name)
    tab.assert_calm()
    assert not off, "\n".join(off)


def look(tab: AppPage, name: str) -> list[str]:
    """Hold a page beside its accepted pictures; return what is off, or accept what is seen."""
    off = []
    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)
        tab.settle()
        tab.page.mouse.move(2, 2)
        tab.page.wait_for_timeout(500)
        seen = shrink(tab.page.screenshot(animations="disabled"))
        kept = ACCEPTED / f"{name}-{scheme}.png"
        if ACCEPTS:
            seen.save(kept, optimize=True)
            continue
        with Image.open(kept) as accepted:
            mean, far = differences(seen, accepted)
        if mean > MOST_MEAN or far > MOST_FAR:
            off.append(f"{name}, {scheme}: {mean:.1f} grey levels, {far:.1%} of cells far off")
    return off


def drawn(folder: Path) -> Path:
    """Write discs on a noisy ground: the same picture, however our simulation changes."""
    random = np.random.default_rng(7)
    picture = np.full((480, 640), 70, np.uint8)
    for _ in range(60):
        centre = (int(random.integers(640)), int(random.integers(480)))
        cv2.circle(picture, centre, int(random.integers(8, 30)), int(random.integers(150, 220)), -1)
    noisy = cv2.GaussianBlur(picture, (0, 0), 1.5) + random.normal(0, 6, picture.shape)
    path = folder / "discs.png"
    cv2.imwrite(str(path), np.clip(noisy, 0, 255).astype(np.uint8))
    return path


@pytest.mark.parametrize(
    ("change", "is_seen"),
    [
        (lambda p: p, False),
        (lambda p: np.roll(p, 6, axis=0), False),  # a line more above: 30 px
        (lambda p: np.hstack([p[:, 60:], p[:, :60]]), True),  # the sidebar at the other side
        (lambda p: 255 - p, True),  # another theme
        (lambda p: np.where(np.indices(p.shape)[1] > 70, 252, p), True),  # an empty page
    ],
)
def test_what_is_a_difference(change, is_seen) -> None:
    with Image.open(ACCEPTED / "Classify-light.png") as accepted:
        changed = Image.fromarray(change(np.asarray(accepted)).astype(np.uint8))
        mean, far = differences(changed, accepted)
    assert (mean > MOST_MEAN or far > MOST_FAR) is is_seen
