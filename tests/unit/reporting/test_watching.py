"""A watched folder: what comes joins, what was there is not computed again, Ctrl+C ends it."""

import os
import signal
import threading
import time
from dataclasses import replace

import pytest

from core.__main__ import EXIT_OK, main
from core.measuring.clustering import Smoothing
from core.reporting.batch import run_batch
from core.reporting.watching import watch_batch
from tests.pages.small_model import save_small_model
from tests.unit.reporting.conftest import png


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "in"
    found.mkdir()
    return found


def test_new_files_join_behind_those_that_were_there(classifier, recipe, folder, tmp_path):
    stop, results = threading.Event(), []

    def on_result(result):
        results.append(result)
        if len(result.rows) < 2:
            (folder / "a.png").write_bytes(png(1))  # sorted before the one that is done
        else:
            stop.set()

    (folder / "b.png").write_bytes(png(0))
    options = {"classifier": classifier, "every_s": 0.05}
    recipe = replace(recipe, target_cluster=1, smoothing=Smoothing("none"))
    watch_batch([folder], recipe, tmp_path / "out", on_result=on_result, stop=stop, **options)
    assert [result.rows["name"].tolist() for result in results] == [["b.png"], ["b.png", "a.png"]]
    assert results[1].times["resumed_behind"] == 1
    paths = [folder / "b.png", folder / "a.png"]
    whole = run_batch(paths, recipe, tmp_path / "whole", classifier=classifier)
    columns = ["label", "target_percent", "regions", "d50_px"]
    assert results[1].rows[columns].equals(whole.rows[columns])


def test_a_sample_is_decided_anew_until_eight_frames_were_looked_at(
    classifier, recipe, folder, tmp_path
):
    stop, behind = threading.Event(), []

    def on_result(result):
        behind.append(result.times["resumed_behind"])
        if len(behind) == 1:
            (folder / "silver 2.png").write_bytes(png(20))
        elif len(behind) == 2:
            (folder / "gold 1.png").write_bytes(png(21))
        else:
            assert [each.frames for each in result.recipe.decided] == [8, 1]
            stop.set()

    for seed in range(8):
        (folder / f"silver 1{seed}.png").write_bytes(png(seed))
    recipe = replace(recipe, sample_from="name:start")
    options = {"classifier": classifier, "every_s": 0.05}
    watch_batch([folder], recipe, tmp_path / "out", on_result=on_result, stop=stop, **options)
    assert behind == [0, 8, 9]


def test_it_waits_for_the_first_file_and_for_one_that_grows(classifier, recipe, folder, tmp_path):
    stop, results = threading.Event(), []
    data = png(0)

    def add():
        with (folder / "a.png").open("wb") as stream:
            for at in range(0, len(data), len(data) // 4):
                stream.write(data[at : at + len(data) // 4])
                stream.flush()
                time.sleep(0.15)

    thread = threading.Thread(target=add)
    thread.start()

    def on_result(result):
        results.append(result)
        stop.set()

    options = {"classifier": classifier, "every_s": 0.5}
    watch_batch([folder], recipe, tmp_path / "out", on_result=on_result, stop=stop, **options)
    thread.join()
    assert [result.rows["status"].tolist() for result in results] == [["ok"]]


def test_the_command_takes_a_new_file_and_ends_with_control_c(folder, tmp_path, monkeypatch):
    save_small_model(tmp_path / "models")
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(watch_batch, "__kwdefaults__", _fast())
    (folder / "a.png").write_bytes(png(0))
    out = tmp_path / "out"

    def add():
        _wait_for(out / "report.html", "a.png")
        (folder / "b.png").write_bytes(png(1))
        _wait_for(out / "report.html", "b.png")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=add)
    thread.start()
    asked = ["batch", str(folder), "--out", str(out), "--watch", "--quiet", "--zip"]
    before = signal.getsignal(signal.SIGINT)
    assert main(asked) == EXIT_OK
    thread.join()
    assert signal.getsignal(signal.SIGINT) is before
    assert "b.png" in (out / "results.csv").read_text(encoding="utf-8-sig")
    assert (tmp_path / "out.zip").is_file()


def _fast() -> dict[str, object]:
    return {**(watch_batch.__kwdefaults__ or {}), "every_s": 0.05}


def _wait_for(path, word: str) -> None:
    for _ in range(600):
        if path.is_file() and f">{word}<" in path.read_text(encoding="utf-8"):
            return
        time.sleep(0.1)
    raise AssertionError(f"{word} never came into {path.name}")
