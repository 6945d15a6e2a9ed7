"""`python -m core info`: what was understood, as a table and as JSON."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from core.__main__ import EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, main
from tests.pages.small_model import save_small_model
from tests.unit.reporting.conftest import png


@pytest.fixture
def scaled(tmp_path: Path) -> Path:
    path = tmp_path / "scaled.tif"
    stream = io.BytesIO()
    options = {"imagej": True, "resolution": (0.5, 0.5), "metadata": {"unit": "nm"}}
    tifffile.imwrite(stream, np.zeros((2, 30, 40), np.uint16), **options)
    path.write_bytes(stream.getvalue())
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.pgm"
    path.write_bytes(b"P5 2 1 255 ab")
    return path


def test_table_has_a_row_per_file(
    scaled: Path, plain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(scaled), str(plain)]) == EXIT_OK
    head, first, second, note = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["File", "Frames"]
    for text in (" 2 ", "40 × 30", "16-bit", "2 nm/px", "80 nm × 60 nm"):
        assert text in first
    for text in (" 1 ", "2 × 1", "8-bit", "–", "2 px × 1 px"):
        assert text in second
    assert note == f"{plain}: no pixel size: the file states none"


def test_json_holds_plain_values(scaled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(scaled), "--json"]) == EXIT_OK
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["pixel_size_nm"] == pytest.approx(2)
    assert (entry["width_px"], entry["height_px"], entry["frames"]) == (40, 30, 2)
    assert entry["labels"] == ["page 1", "page 2"]
    assert entry["field_of_view"] == ["80 nm", "60 nm"]
    assert entry["scale"] == "2 nm/px (ImageJ)"
    assert entry["metadata"]["format"] == "TIFF"


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_unreadable_file_is_named_and_the_others_shown(
    option: list[str], plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no picture at all")
    assert main(["info", str(text), str(plain), *option]) == EXIT_SOME_FAILED
    out = capsys.readouterr().out
    assert "not a picture" in out
    assert "plain.pgm" in out


def test_instrument_is_in_the_table(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shared_data / "native/tiff/fei/FEI-Helios-Ebeam-8bits.tif"
    assert main(["info", str(path)]) == EXIT_OK
    out = capsys.readouterr().out
    for text in ("3.372 µm/px", "1.727 mm × 1.491 mm", "Helios NanoLab", "5 kV", "4.035 mm", "ETD"):
        assert text in out


@pytest.fixture
def small_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_small_model(tmp_path / "models")
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path / "models"))


def test_batch_says_how_it_went_by_its_exit_code(
    small_model: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for seed in range(2):
        (folder / f"{seed}.png").write_bytes(png(seed))
    recipe = tmp_path / "recipe.json"
    recipe.write_text('{"kind": "micrographia-recipe", "version": 1, "clusters": 2}')
    labels = tmp_path / "labels.csv"
    labels.write_text("name,label\n0.png,alloys\n1.png,dendrites\n")
    asked = ["batch", str(folder), "--recipe", str(recipe), "--out", str(out)]
    assert main([*asked, "--labels", str(labels), "--maps", "--zip"]) == EXIT_OK
    told = capsys.readouterr()
    assert "2 of 2" in told.err
    assert (tmp_path / "out.zip").is_file()
    assert len(list((out / "maps").glob("*.npy"))) == 2
    assert "Confusion matrix" in (out / "report.html").read_text(encoding="utf-8")
    (folder / "bad.png").write_bytes(b"x")
    assert main([*asked, "--quiet"]) == EXIT_SOME_FAILED
    assert main([*asked, "--scheduler", "tcp://nowhere:1"]) == EXIT_USAGE
    assert (
        main(["batch", str(tmp_path / "models" / "em-morph5-2"), "--out", str(out)]) == EXIT_USAGE
    )
    recipe.write_text('{"kind": "micrographia-recipe", "version": 9}')
    assert main(asked) == EXIT_USAGE
    assert "update Micrographia" in capsys.readouterr().err
