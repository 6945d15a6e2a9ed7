"""A study saved, opened in another process and run again: the same bytes, the same digits."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.imaging.overlays import OverlayChoice, with_overlay_choice
from core.imaging.scale import words
from core.micrograph import Micrograph, PixelSize
from core.reporting import study as room
from core.reporting.batch import run_batch
from core.reporting.recipe import Recipe
from core.reporting.study import compare_rows, open_study, run_study, save_study, study_bytes
from tests.unit.reporting.conftest import micrograph, png

ROOT = Path(__file__).resolve().parents[4]


def several() -> list[Micrograph]:
    """Frames of two samples, of all depths, one corrected and one calibrated by hand."""
    first = micrograph(0, "A_1.tif", nm=2.5)
    second = with_overlay_choice(micrograph(1, "A_2.tif"), OverlayChoice(bottom_rows=9))
    third = words.set_pixel_size(micrograph(2, "B_1.tif", depth=np.uint16), PixelSize(1.5, "µm"))
    floats = Micrograph(
        "B_2.tif", third.pixels.astype(np.float32) / 7, None, {"microscope": "X", "kV": 15.0}
    )
    return [first, second, third, floats]


def saved(tmp_path: Path, run, **more):
    recipe = Recipe(model="tiny", clusters=2, sample_from="name:1", pictures=("labels", "rois"))
    result = run(several(), recipe=recipe)
    return save_study(several(), tmp_path / "mine", result=result, **more), result


def test_micrographs_come_back_as_they_were(tmp_path, run) -> None:
    path, _ = saved(tmp_path, run)
    study = open_study(path)
    assert path.name == "mine.micrographia.zip"
    for before, member in zip(several(), study.members, strict=True):
        after = study.micrograph(member)
        assert after.key == before.key
        assert after.pixels.dtype == before.pixels.dtype
        np.testing.assert_array_equal(after.pixels, before.pixels)
        assert after.metadata == before.metadata
    assert study.samples == {"A": 2, "B": 2}
    assert [m.pixel_size_from for m in study.members] == [
        "stated by the file",
        "",
        words.SET_BY_HAND,
        "",
    ]


def test_run_again_gives_the_same_digits(tmp_path, run, classifier) -> None:
    path, result = saved(tmp_path, run)
    study = open_study(path)
    again = run_study(study, tmp_path / "again", classifier=classifier)
    assert compare_rows(study, again) == []
    assert again.rows["sha256"].tolist() == result.rows["sha256"].tolist()
    assert again.recipe.decided == result.recipe.decided
    assert again.regions.equals(result.regions)


def test_a_changed_digit_is_told(tmp_path, run, classifier) -> None:
    path, _ = saved(tmp_path, run)
    study = open_study(path)
    share = study.results["target_percent"]
    other = {**study.results, "target_percent": [np.nextafter(share[0], 100), *share[1:]]}
    found = compare_rows(
        replace(study, results=other), run_study(study, tmp_path / "x", classifier=classifier)
    )
    assert len(found) == 1
    assert "target_percent of A_1.tif" in found[0]


def test_the_same_study_is_the_same_file(tmp_path, run) -> None:
    path, result = saved(tmp_path, run, title="Silver", authors=["A. Person"], license="CC-BY-4.0")
    assert study_bytes(open_study(path)) == path.read_bytes()
    words_of = {"title": "Silver", "authors": ["A. Person"], "license": "CC-BY-4.0"}
    assert study_bytes(several(), result=result, **words_of) == path.read_bytes()


def test_it_opens_as_a_folder_and_as_bytes(tmp_path, run) -> None:
    path, _ = saved(tmp_path, run)
    zipfile.ZipFile(path).extractall(tmp_path / "unpacked")
    assert open_study(tmp_path / "unpacked") == open_study(path.read_bytes()) == open_study(path)


def test_without_pixels_a_run_is_given_the_files(tmp_path, classifier) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for seed in range(2):
        (folder / f"S{seed}.png").write_bytes(png(seed))
    recipe = Recipe(model="tiny", clusters=2)
    path = save_study(
        folder, tmp_path / "s", recipe=recipe, contain=False, samples={"S0.png": "one"}
    )
    study = open_study(path)
    assert not any(member.file for member in study.members)
    with pytest.raises(UserError, match=r"does not hold the pixels of S0\.png, S1\.png"):
        run_study(study, tmp_path / "out", classifier=classifier)
    result = run_study(study, tmp_path / "out", given=[folder], classifier=classifier)
    assert result.rows["sample"].tolist() == ["one", ""]
    assert result.rows["sha256"].tolist() == [m.sha256 for m in study.members]


def test_notes_settings_and_labels_travel(tmp_path) -> None:
    one = several()[0]
    notes = {one.sha256: {"shapes": [{"kind": "ruler", "points": [[1.0, 2.0], [3.0, 4.0]]}]}}
    path = save_study(
        one, tmp_path / "n", notes=notes, settings={"k": "4"}, labels={one.name: "spheroids"}
    )
    study = open_study(path)
    assert study.members[0].notes == notes[one.sha256]
    assert study.members[0].label == "spheroids"
    assert study.settings == {"k": "4"}


def test_a_batch_alone_keeps_digests(tmp_path, run) -> None:
    result = run(several())
    study = open_study(save_study(result, tmp_path / "r"))
    assert [m.sha256 for m in study.members] == result.rows["sha256"].tolist()
    with pytest.raises(UserError, match="saved without the pixels of A_1"):
        study.micrograph(study.members[0])


def test_nothing_is_left_of_a_study_that_cannot_be_written(tmp_path) -> None:
    with pytest.raises(UserError, match="no micrograph to save"):
        save_study(tmp_path / "nothing.tif", tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


def test_the_crate_says_what_the_specification_asks_for(tmp_path, run) -> None:
    path, _ = saved(tmp_path, run, authors=["A. Person"], license="https://example.org/by")
    study = open_study(path)
    crate = json.loads(study.read("ro-crate-metadata.json"))
    assert crate["@context"] == "https://w3id.org/ro/crate/1.2/context"
    by_id = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(by_id) == len(crate["@graph"])
    descriptor = by_id["ro-crate-metadata.json"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    root = by_id["./"]
    assert root["@type"] == "Dataset"
    assert all(root[name] for name in ("name", "description", "datePublished", "license"))
    files = {name for name in study.files if name != "ro-crate-metadata.json"}
    assert {part["@id"] for part in root["hasPart"]} == files
    assert all(by_id[name]["@type"] == "File" for name in files)
    for entity in crate["@graph"]:
        for value in entity.values():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict) and each["@id"] != "https://w3id.org/ro/crate/1.2":
                    assert each["@id"] in by_id
    assert by_id["#author-1"]["name"] == "A. Person"
    assert by_id["https://example.org/by"]["@type"] == "CreativeWork"


def test_the_notebook_runs_and_finds_the_same_digits(
    tmp_path, run, classifier, monkeypatch
) -> None:

    path, _ = saved(tmp_path, run)
    zipfile.ZipFile(path).extractall(tmp_path / "unpacked")
    notebook = json.loads((tmp_path / "unpacked" / "study.ipynb").read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    monkeypatch.chdir(tmp_path / "unpacked")
    repeat = room.run_study
    monkeypatch.setattr(
        room, "run_study", lambda *given, **more: repeat(*given, classifier=classifier, **more)
    )
    scope: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(cell["source"], scope)
    assert scope["different"] == []


def test_another_process_finds_the_same_digits(tmp_path) -> None:
    """The shipped network, from the command line: saved in one process, repeated in another."""
    recipe = Recipe(sample_from="name:1", exclude_overlays=False)
    result = run_batch(several()[:2], recipe, tmp_path / "out")
    path = save_study(several()[:2], tmp_path / "s", result=result)
    command = [sys.executable, "-m", "core", "study", "run", str(path), "--quiet"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "again")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "identical to the last digit" in done.stdout
