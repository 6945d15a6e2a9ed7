"""Every block of code in README and docs runs, or says why it cannot."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.command_line import EXIT_OK, main
from core.imaging.display import save_tiff_bytes
from core.imaging.simulation import simulate
from core.reporting.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(
    r"^```(\w+)\n(.*?)^```$(?:\s*<!-- not run: ([^>]+?) -->)?", re.MULTILINE | re.DOTALL
)
_MARKED = re.compile(r"<!-- (run|test) -->.*?<!-- /\1 -->", re.DOTALL)  # README's, for `.ci/run`
_COMMAND = "python -m core "
_CHAIN = '{"steps": [{"filter": "gaussian", "parameters": {"sigma_px": 1.0}}]}'
_FILES = (
    *(("data/silver_01", "spheroids", 1), ("data/silver_02", "spheroids", 2)),
    *(("data/gold_01", "rods_fibres", 3), ("data/gold_02", "rods_fibres", 4)),
    *((f"labelled/spheroids/s{n}x", "spheroids", 10 + n) for n in range(4)),
    *((f"labelled/fibres/f{n}x", "rods_fibres", 20 + n) for n in range(4)),
)


class Block(NamedTuple):
    language: str
    text: str
    excuse: str


def blocks(text: str) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall(_MARKED.sub("", text))]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages speak of, where a reader types."""
    for name, kind, seed in _FILES:
        path = tmp_path / f"{name}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(save_tiff_bytes(simulate(kind, shape=(128, 192), seed=seed).micrograph))
    (tmp_path / "chain.json").write_text(_CHAIN)
    (tmp_path / "recipe.json").write_text(Recipe(clusters=2).to_json())
    (tmp_path / "classes.csv").write_text("name,label\nsilver_01.tif,spheroids\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def type_lines(text: str) -> None:
    """Run each command as the shell would; each must end well."""
    for line in text.strip().splitlines():
        assert line.startswith(_COMMAND), f"not a command of ours, and not excused: {line}"
        arguments = shlex.split(line, comments=True)[3:]
        try:
            code = main(arguments)
        except SystemExit as end:  # --help
            code = int(end.code or 0)
        assert code == EXIT_OK, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_code_runs(page: Path, reader: Path) -> None:
    names: dict[str, Any] = {"__name__": page.stem}  # the blocks of a page follow each other
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "python":
            exec(compile(block.text, str(page), "exec"), names)
        elif block.language == "sh" and not block.excuse:
            type_lines(block.text)


def test_what_is_not_run_says_why() -> None:
    found = [block for page in PAGES for block in blocks(page.read_text(encoding="utf-8"))]
    assert {block.language for block in found} <= {"python", "sh"}
    assert sum(bool(block.excuse) for block in found) <= 5
    text = "```sh\nls\n```\n<!-- not run: it is no command of ours -->\n```python\n1\n```\n"
    assert [block.excuse for block in blocks(text)] == ["it is no command of ours", ""]
