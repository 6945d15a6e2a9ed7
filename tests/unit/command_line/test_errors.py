"""Wrong use of the command line: one sentence and exit code 2."""

import io

import pytest

from core import command_line as command
from core.command_line import progress


def test_train_without_a_labelled_folder_says_what_it_needs(tmp_path, capsys):
    assert command.main(["train", str(tmp_path / "model")]) == command.EXIT_USAGE
    assert "needs a folder of labelled micrographs" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_a_recipe_that_is_no_text_is_named(tmp_path, capsys, content):
    recipe = tmp_path / "recipe.json"
    if content is not None:
        recipe.write_bytes(content)
    asked = ["filter", str(tmp_path), "--recipe", str(recipe), "--out", str(tmp_path / "out")]
    assert command.main(asked) == command.EXIT_USAGE
    said = capsys.readouterr().err
    assert said.startswith(f"error: {recipe} cannot be read as a text file")
    assert "Traceback" not in said


def test_into_a_file_every_tenth_of_a_download_is_one_line(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(progress.sys, "stderr", stream)
    show = progress.draw_fetching()
    for done in range(101):
        show(done * 1_000_000, 100_000_000)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[-1] == "fetching: 100 of 100 MB"
