"""Batches that are killed, cancelled, resumed, and those on other processes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from core.errors import UserError
from core.reporting.batch import pipeline
from core.reporting.batch.journal import Journal
from core.reporting.batch.run import run_batch
from core.reporting.recipe import Recipe
from core.reporting.report.writing import write_report
from tests.pages.small_model import save_small_model
from tests.unit.reporting.conftest import micrograph, png

ROOT = Path(__file__).resolve().parents[4]
SCRIPT = """
import sys
from core.reporting.batch import pipeline
pipeline.GROUP = 4
from core.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_small_model(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Twenty-six pictures, one of them twice, and two that are none."""
    found = tmp_path_factory.mktemp("in")
    for seed in range(26):
        (found / f"field {seed:02d}.png").write_bytes(png(seed))
    (found / "field 13 again.png").write_bytes(png(13))
    (found / "broken.tif").write_bytes(b"II*\x00")
    (found / "empty.png").write_bytes(b"")
    return found


def start(folder: Path, out: Path, models: Path, *more: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"MICROGRAPHIA_MODELS": str(models), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT, "batch", str(folder), "--out", str(out), *more]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def contents(out: Path) -> dict[str, bytes]:
    """Every file of a report, the hidden ones too; of the manifest what is not time."""
    found = {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    manifest = json.loads(found["manifest.json"])
    manifest.pop("times")
    return found | {"manifest.json": json.dumps(manifest).encode()}


def test_killed_at_random_points_and_resumed_it_ends_in_the_same_bytes(
    folder, models, tmp_path, monkeypatch
):
    monkeypatch.setattr(pipeline, "GROUP", 4)
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(models))
    whole = run_batch([folder], Recipe(), tmp_path / "whole")
    write_report(whole, whole.out)
    dice = random.Random(8)
    out, stopped_at = tmp_path / "killed", []
    for _ in range(2):
        process = start(folder, out, models, "--resume")
        goal = (stopped_at[-1] if stopped_at else 0) + dice.randint(3, 10)
        for line in process.stderr:
            if line.split(" ")[0].isdigit() and int(line.split(" ")[0]) >= goal:
                break
        time.sleep(dice.random() / 50)
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        process.stdout.close()
        process.stderr.close()
        assert not (out / "manifest.json").exists()
        stopped_at.append(len(list(Journal(out).entries())))
    last = run_batch([folder], Recipe(), out, resume=True)
    write_report(last, out)
    assert last.times["resumed_behind"] == stopped_at[-1] > 0
    assert contents(out) == contents(tmp_path / "whole")


def test_half_a_line_is_cut_off_and_a_changed_file_is_done_again(run, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "GROUP", 2)
    paths = [tmp_path / f"{seed}.png" for seed in range(6)]
    for seed, path in enumerate(paths):
        path.write_bytes(png(seed))
    whole = run(paths, tmp_path / "out")
    journal = Journal(whole.out)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(lines[:3]) + lines[3][:40])
    told = []
    again = run(paths, tmp_path / "out", resume=True, on_progress=lambda d, t, n: told.append(d))
    assert told == [5, 6]
    pd.testing.assert_frame_equal(again.rows, whole.rows)
    paths[2].write_bytes(png(40))
    other = run(paths, tmp_path / "out", resume=True)
    assert (other.rows["sha256"] != whole.rows["sha256"]).tolist() == [False] * 2 + [True] + (
        [False] * 3
    )
    assert other.times["resumed_behind"] == 2


def test_a_missing_picture_is_drawn_again(run):
    first = run([micrograph(seed) for seed in range(2)])
    (first.out / first.rows["mask_file"][1]).unlink()
    again = run([micrograph(seed) for seed in range(2)], resume=True)
    assert again.times["resumed_behind"] == 0
    assert all((again.out / name).is_file() for name in again.files)


def test_other_settings_are_not_mixed_in(run, recipe):
    from dataclasses import replace

    run([micrograph(0)])
    with pytest.raises(UserError, match="other settings"):
        run([micrograph(0)], recipe=replace(recipe, clusters=3), resume=True)
    assert len(run([micrograph(0)], recipe=replace(recipe, clusters=3)).rows) == 1


def test_cancel_keeps_what_is_done_and_resume_completes_it(run, tmp_path):
    sources = [micrograph(seed) for seed in range(9)]
    seen = []
    part = run(
        sources,
        on_progress=lambda done, total, name: seen.append(done),
        should_stop=lambda: len(seen) >= 4,
    )
    assert part.rows["number"].tolist() == [1, 2, 3, 4]
    assert part.given == 9
    assert "cancelled with 4 of 9" in write_report(part, part.out).read_text(encoding="utf-8")
    whole = run(sources, resume=True)
    fresh = run(sources, tmp_path / "fresh")
    pd.testing.assert_frame_equal(whole.rows, fresh.rows)


def test_two_batches_at_once_do_not_mix(run, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    parts = [[micrograph(seed) for seed in range(start, start + 6)] for start in (0, 20)]
    alone = [run(part, tmp_path / f"alone {n}").rows for n, part in enumerate(parts)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda n: run(parts[n], tmp_path / f"both {n}").rows, range(2)))
    for one, other in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_dask_gives_the_same_bytes_though_a_worker_is_killed(folder, models, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(models))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    threads = run_batch([folder], Recipe(), tmp_path / "threads")
    killed = []
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):

        def kill(done: int, total: int, name: str) -> None:
            if done == 2 and not killed:
                killed.append(next(iter(client.run(os.getpid).values())))
                os.kill(killed[0], signal.SIGKILL)

        dask = run_batch(
            [folder],
            Recipe(),
            tmp_path / "dask",
            engine="dask",
            scheduler=cluster.scheduler_address,
            on_progress=kill,
        )
        loads = client.run(loaded_models)
    assert killed
    assert set(loads.values()) <= {0, 1}
    pd.testing.assert_frame_equal(dask.rows, threads.rows)
    for result in (threads, dask):
        write_report(result, result.out)
    assert contents(dask.out) == contents(threads.out)


def loaded_models() -> int:
    """How many models a worker holds."""
    from core.reporting.batch.dask_engine import _models

    return len(_models)


def test_a_scheduler_that_does_not_answer_is_a_sentence(run, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("core.reporting.batch.dask_engine.CONNECT_S", 0.5)
    with pytest.raises(UserError, match="No Dask scheduler answers"):
        run([micrograph(0)], engine="dask", scheduler="tcp://127.0.0.1:9")
