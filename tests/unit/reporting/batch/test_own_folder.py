"""A report inside the folder it is about, two batches in one folder, reports among the input."""

import io
import json
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from core.errors import UserError
from core.reporting.batch import pipeline
from core.reporting.batch.keeping.lock import hold_folder
from core.reporting.batch.sources import list_sources
from tests.unit.reporting.conftest import micrograph, png


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "a"
    found.mkdir()
    for seed in range(5):
        (found / f"{seed}.png").write_bytes(png(seed))
    return found


def stop_after(count: int):
    seen: list[int] = []
    return {
        "on_progress": lambda done, total, name: seen.append(done),
        "should_stop": lambda: len(seen) >= count,
    }


def left_by_a_kill(out: Path) -> None:
    """Make of a cancelled batch what a killed one leaves: no manifest, no tables."""
    for name in ("manifest.json", "results.csv", "results.parquet", "regions.csv", "recipe.json"):
        (out / name).unlink()


@pytest.mark.parametrize("inside", ["report", ".", "deep/er/report", "masks"])
@pytest.mark.parametrize("killed", [False, True])
def test_a_report_inside_its_input_goes_on_and_starts_anew(
    run, folder, tmp_path, inside, killed, monkeypatch
):
    monkeypatch.setattr(pipeline, "GROUP", 2)
    whole = run([folder], tmp_path / "elsewhere")
    out = folder / inside
    part = run([folder], out, **stop_after(4))
    assert len(part.rows) == 4
    assert (out / "overlays").is_dir()
    if killed:
        left_by_a_kill(out)
    again = run([folder], out, resume=True)
    assert again.times["resumed_behind"] == 4
    anew = run([folder], out)
    for result in (again, anew):
        assert result.given == 5
        assert result.rows["sha256"].tolist() == whole.rows["sha256"].tolist()
    assert (out / "results.csv").read_bytes() == (whole.out / "results.csv").read_bytes()


def test_reports_of_other_batches_below_the_input_are_passed_over(run, folder):
    run([folder], folder / "old")
    run([folder], folder / "sub" / "killed")
    left_by_a_kill(folder / "sub" / "killed")
    assert [source.name for source in list_sources([folder])] == [f"{n}.png" for n in range(5)]


def test_what_a_person_put_into_a_folder_called_masks_is_a_micrograph(folder):
    (folder / "masks").mkdir()
    (folder / "masks" / "0001_mine.png").write_bytes(png(9))
    (folder / "overlays").mkdir()
    (folder / "overlays" / "cell.png").write_bytes(png(8))
    names = [source.name for source in list_sources([folder])]
    assert names[-2:] == ["masks/0001_mine.png", "overlays/cell.png"]


def test_a_report_packed_with_its_micrographs_is_no_micrograph():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("s/a.png", png(0))
        archive.writestr("s/report/manifest.json", "{}")
        archive.writestr("s/report/overlays/0001_a.png", png(1))
        archive.writestr("s/masks/0001_a.png", png(2))
    names = [source.path for source in list_sources([("s.zip", stream.getvalue())])]
    assert "s/report/overlays/0001_a.png" not in names
    assert {"s/a.png", "s/masks/0001_a.png"} <= set(names)


def test_a_settings_file_belongs_to_the_picture_in_its_own_folder():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for place, size in (("a", 2), ("b", 7)):
            archive.writestr(f"{place}/img.png", png(size))
            text = f"[SemImageFile]\r\nPixelSize={size}\r\n"
            archive.writestr(f"{place}/img.txt", text)
    found = list_sources([("two.zip", stream.getvalue())])
    assert [source.path for source in found] == ["a/img.png", "b/img.png"]
    assert [source.read().pixel_size.to("nm") for source in found] == [2, 7]
    assert len({source.stamp() for source in found}) == 2


def test_the_second_batch_in_a_folder_is_told_so_and_harms_nothing(run, tmp_path):
    out, refused = tmp_path / "out", []

    def second(done: int, total: int, name: str) -> None:
        for resume in (False, True):
            with pytest.raises(UserError, match="Another batch is at work in the folder") as error:
                run([micrograph(8)], out, resume=resume)
            refused.append(str(error.value))

    first = run([micrograph(0), micrograph(1)], out, on_progress=second)
    assert len(refused) == 4
    assert first.rows["name"].tolist() == ["field 0.tif", "field 1.tif"]
    assert len(run([micrograph(8)], out).rows) == 1  # the lock is gone with its batch


def test_a_process_that_was_killed_bars_nobody(run, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    script = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from core.reporting.batch.keeping.lock import hold_folder
        with hold_folder(Path({str(out)!r})):
            print("held", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match="at work"), hold_folder(out):
            pass
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()
    assert len(run([micrograph(0)], out).rows) == 1


def test_a_resume_that_is_refused_leaves_the_finished_report_alone(run, recipe, tmp_path):
    from dataclasses import replace

    whole = run([micrograph(0)])
    (whole.out / "report.html").write_text("mine")
    with pytest.raises(UserError, match="other settings"):
        run([micrograph(0)], recipe=replace(recipe, clusters=3), resume=True)
    assert json.loads((whole.out / "manifest.json").read_text())["given"] == 1
    assert (whole.out / "report.html").read_text() == "mine"


def test_pictures_of_a_killed_batch_go_when_another_one_starts(run, folder, tmp_path):
    out = tmp_path / "out"
    run([folder], out)
    left_by_a_kill(out)
    shutil.copy(out / "masks" / "0001_0.png", out / "masks" / "kept.png")
    run([micrograph(7)], out)
    assert sorted(path.name for path in (out / "masks").iterdir()) == [
        "0001_field-7.png",
        "kept.png",
    ]
