"""A disk that becomes full at any moment of a batch: a sentence, and a batch that can go on."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Unwritable
from core.reporting.batch.keeping.result import write_zip
from core.reporting.batch.run import run_batch
from core.reporting.report.writing import write_report
from tests.unit.reporting.conftest import png

SOURCES = [("a.png", png(1)), ("b.png", png(2))]


@pytest.fixture
def full_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[Path]]:
    """Let so many files be opened for writing, then no more; returns what was opened."""
    real = Path.open

    def begin(most: int) -> list[Path]:
        opened: list[Path] = []

        def opening(self: Path, mode: str = "r", *args: object, **options: object) -> object:
            if set(mode) & set("wa+"):
                opened.append(self)
                if len(opened) > most:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
            return real(self, mode, *args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(Path, "open", opening)
        return opened

    return begin


def test_every_moment_at_which_the_disk_is_full_gives_a_sentence(
    run, classifier, recipe, tmp_path, full_after, monkeypatch
):
    opened = full_after(10_000)
    whole = run(SOURCES, tmp_path / "whole")
    write_report(whole, whole.out)
    needed = len(opened)
    monkeypatch.undo()
    for most in range(needed):
        full_after(most)
        out = tmp_path / f"full {most}"
        with pytest.raises(Unwritable, match="No space left on device"):
            write_report(run(SOURCES, out), out)
        monkeypatch.undo()
        again = run_batch(SOURCES, recipe, out, classifier=classifier, resume=True)
        assert (again.out / "results.csv").read_bytes() == (
            whole.out / "results.csv"
        ).read_bytes(), f"resumed after {most} files"


def test_full_disk_while_packing_gives_a_sentence(run, monkeypatch):
    result = run(SOURCES)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(Unwritable, match="No space left"):
        write_zip(result)
