"""Folders of this process go with it, and those of killed processes with the next one."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from core import leftovers

ROOT = Path(__file__).resolve().parents[2]
_CHILD = """
import sys, time
from core.leftovers import make_folder
folder = make_folder("models-")
(folder / "weights").write_bytes(b"x")
print(folder, flush=True)
if sys.argv[1] == "stay":
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(leftovers, "_held", {})
    return tmp_path


def child(how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, how], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_what_ends_in_order_leaves_nothing(place):
    with child("go") as process:
        made = Path(process.stdout.readline().strip())
    assert made.is_relative_to(place)
    assert list(place.iterdir()) == []


def test_what_was_killed_is_removed_and_what_lives_is_left(place):
    theirs = place / "micrographia-of-somebody"
    theirs.mkdir()
    with child("stay") as killed, child("stay") as living:
        left = Path(killed.stdout.readline().strip())
        kept = Path(living.stdout.readline().strip())
        killed.kill()
        killed.wait()
        assert left.is_dir()
        own = leftovers.make_folder("batch-")
        assert not left.parent.exists()
        assert kept.is_dir()
        assert theirs.is_dir()  # without a lock it is none of ours
        assert leftovers.make_folder("batch-").parent == own.parent
        living.kill()
