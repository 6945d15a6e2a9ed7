"""The documents build without a warning, lead where they say, and give no figure that is none."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.imaging.filtering import FILTERS
from core.learning.explaining import EVERY_METHOD

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / "tests" / name for name in ("README.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
_LINK = re.compile(r"""\]\(([^)\s]+)\)|src="([^"]+)\"""")
MOST_PICTURE_BYTES = 200_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_are_there(page: Path) -> None:
    for found in _LINK.findall(page.read_text(encoding="utf-8")):
        target = "".join(found).split("#")[0]
        if target and not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_readme_is_short_and_its_pictures_small() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert all(picture.stat().st_size <= MOST_PICTURE_BYTES for picture in pictures)
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert not [p.name for p in pictures if f"pictures/{p.name}" not in pages]


def test_readme_counts_what_there_is() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{len(FILTERS)} [filters]" in text
    found = re.search(r"explained by (\d+) methods beside (\d+) baselines", text)
    assert found
    baselines = sum(method.is_baseline for method in EVERY_METHOD.values())
    assert (int(found[1]), int(found[2])) == (len(EVERY_METHOD) - baselines, baselines)


def test_documents_build_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "--keep-going"]
    done = subprocess.run(
        [*command, "-d", str(tmp_path / "trees"), str(ROOT / "docs"), str(tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    api = (tmp_path / "out" / "api.html").read_text(encoding="utf-8")
    for name in ("read_micrograph", "cluster_gray", "grad-cam", "gaussian"):
        assert name in api
