"""Whatever a person types: a sentence, an exit code, and JSON that parses; never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.__main__ import EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, main
from core.command_line import build_parser
from core.command_line.json_text import as_json
from core.learning.training import TrainingPlan
from core.reporting.recipe import Recipe
from tests.pages.small_model import save_small_model
from tests.unit.reporting.conftest import png

ROOT = Path(__file__).resolve().parents[3]
ODD = os.fsdecode(b"b\xff\xc3\xbc.png")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    save_small_model(tmp_path / "models")
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path / "models"))
    found = tmp_path / "in"
    found.mkdir()
    for seed, name in enumerate(("a.png", ODD)):
        (found / name).write_bytes(png(seed))
    return found


def typed(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "core", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        check=False,
        timeout=600,  # a busy machine loads libraries for minutes
    )


TERMINALS = [{}, {"LANG": "C", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}]


@pytest.mark.parametrize("environment", TERMINALS)
def test_names_that_are_no_unicode_and_terminals_that_know_none(folder, environment):
    found = typed("info", "--json", "a.png", ODD, "µ missing", cwd=folder, **environment)
    assert b"Traceback" not in found.stderr
    entries = json.loads(found.stdout.decode("utf-8"))
    assert entries[1]["file"].startswith("b\\xff")
    assert found.returncode == EXIT_USAGE  # one of them is not there
    shown = typed("info", ODD, cwd=folder, **environment)
    assert (shown.returncode, b"Traceback" in shown.stderr) == (EXIT_OK, False)


def test_a_batch_into_the_folder_one_is_in_with_a_zip(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    asked = ["batch", ".", "--out", ".", "--zip", "--quiet"]
    assert main(asked) == EXIT_OK
    assert (folder.parent / "in.zip").is_file()
    assert main([*asked, "--resume"]) == EXIT_OK
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["given"] == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_report_in_a_folder_that_an_ascii_terminal_cannot_show(folder):
    asked = ("batch", ".", "--out", "r ü", "--quiet")
    done = typed(*asked, cwd=folder, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert (done.returncode, done.stderr) == (EXIT_OK, b"")
    assert b"r \\xfc" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("batch", "/nope"),
        ("batch", "x" * 5000),
        ("batch", "a.png", "--with", "/nope"),
        ("batch", "a.png", "--labels", "/nope"),
        ("batch", "a.png", "--labels", "."),
        ("batch", "a.png", "--recipe", "/dev/zero"),
        ("batch", "a.png", "--labels", "/dev/zero"),
        ("batch", "a.png", "--out", "a.png"),
        ("batch", "a.png", "--out", "a.png/below"),
        ("filter", "/nope", "--recipe", "recipe.json"),
        ("filter", "a.png", "--recipe", "recipe.json", "--with", "/nope"),
        ("filter", "a.png", "--recipe", "recipe.json", "--out", "a.png"),
        ("train", "/nope", "model"),
        ("train", "/nope", "--out", "model"),
        ("train", "only"),
        ("train", ".", "--out", "a.png"),
        ("train", ".", "--out", "a.png/below/it"),
        ("train", ".", "--out", "a.png", "--quick"),
        ("train", ".", "--out", "model", "--work", "a.png"),
        ("train", ".", "--out", "../in"),
        ("info", "/nope"),
        ("info", "/nope", "--json"),
    ],
)
def test_what_cannot_work_is_wrong_use(folder, monkeypatch, capsys, arguments):
    monkeypatch.chdir(folder)
    Path("recipe.json").write_text(Recipe().to_json(), encoding="utf-8")
    before = sorted(folder.rglob("*"))
    assert main(list(arguments)) == EXIT_USAGE
    assert sorted(folder.rglob("*")) == before
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    if "info" not in arguments:
        assert told.err.startswith("error: ")
        assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [("batch", ""), ("batch", "a.png", "--out", ""), ("info", ""), ("train", "", "--out", "m")],
)
def test_an_empty_path_is_not_the_folder_one_is_in(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == EXIT_USAGE
    assert "a path is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "typed"),
    [
        ("--folds", "1"),
        ("--folds", "-3"),
        ("--folds", "x"),
        ("--finetune-samples", "0"),
        ("--finetune-samples", "1e4"),
        ("--pretrain-samples", "-5"),
        ("--folds", "9" * 30),
    ],
)
def test_numbers_that_no_training_can_have_are_wrong_use(tmp_path, capsys, option, typed):
    with pytest.raises(SystemExit) as ended:
        main(["train", str(tmp_path), "--out", str(tmp_path / "m"), option, typed])
    assert ended.value.code == EXIT_USAGE
    assert "a whole number from" in capsys.readouterr().err


def test_paths_are_looked_at_before_a_model_is_loaded(tmp_path):
    code = (
        "import sys; from core.__main__ import main\n"
        "assert main(['batch', '/nope']) == 2 and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_labels_that_match_nothing_are_named(folder, tmp_path, capsys):
    labels = tmp_path / "labels.csv"
    labels.write_bytes(b"\xef\xbb\xbfname;label\r\na.png;nonsense\r\nz.png;alloys\r\n")
    out = str(tmp_path / "out")
    assert main(["batch", str(folder), "--labels", str(labels), "--out", out, "--quiet"]) == EXIT_OK
    said = capsys.readouterr().err
    assert "no micrograph of this batch: “z.png”" in said
    assert "no class of the model: “nonsense”" in said


def test_a_journal_line_without_micrographs_is_no_traceback(folder, tmp_path):
    from core.reporting.batch.journal import Journal

    asked = ["batch", str(folder), "--out", str(tmp_path / "out"), "--quiet"]
    assert main(asked) == EXIT_OK
    whole = (tmp_path / "out" / "results.csv").read_bytes()
    path = Journal(tmp_path / "out").path
    head, *lines = path.read_bytes().splitlines(keepends=True)
    bad = [b"{}\n", b'{"items": 5}\n', b'{"items": [5]}\n', b'{"items": [{"name": "a"}]}\n']
    bad += [b'{"items": [{"name": "a.png", "stamp": "", "files": ["../../x"], "previews": []}]}\n']
    first = json.loads(lines[0])["items"][0]
    bare = {"name": first["name"], "stamp": first["stamp"], "files": [], "previews": []}
    bad += [json.dumps({"items": [bare]}).encode() + b"\n"]
    for line in bad:
        path.write_bytes(head + line)
        assert main([*asked, "--resume"]) == EXIT_OK, line
        assert (tmp_path / "out" / "results.csv").read_bytes() == whole


def test_json_holds_no_value_that_a_parser_refuses():
    odd = {"nan": float("nan"), "inf": -np.inf, 5: b"\xff", "text": ODD, "in": [np.float64(1)]}
    assert json.loads(as_json(odd), parse_constant=pytest.fail) == {
        "nan": None,
        "inf": None,
        "5": "b'\\xff'",
        "text": "b\\xffü.png",
        "in": [1.0],
    }


def test_help_has_examples_defaults_and_words_for_every_option(capsys):
    (commands,) = [a for a in build_parser()._actions if hasattr(a, "choices") and a.choices]
    for name, parser in commands.choices.items():
        assert all(action.help for action in parser._actions)
        assert f"python -m core {name} " in parser.epilog
        shown = parser.format_help()
        assert "None" not in shown
        assert "[]" not in shown
    shown = " ".join(commands.choices["batch"].format_help().split())
    for words in ("(default: report)", "(default: threads)", "(default: 2)"):
        assert words in shown
    assert EXIT_SOME_FAILED == 3
    shown = " ".join(commands.choices["train"].format_help().split())
    for field in ("pretrain_samples", "finetune_samples", "folds"):
        assert f"(default: {getattr(TrainingPlan(), field)})" in shown


@pytest.mark.parametrize("arguments", [["data", "model"], ["data", "--out", "model"]])
def test_train_takes_its_model_folder_either_way(tmp_path, monkeypatch, arguments):
    from core.learning import training

    asked = []

    card = SimpleNamespace(metrics={"accuracy": float("nan")})
    monkeypatch.setattr(training, "train", lambda *given, **_: asked.append(given) or card)
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    assert main(["train", *arguments]) == EXIT_OK
    assert asked == [([Path("data")], Path("model"))]


def test_a_report_in_a_folder_whose_name_is_no_unicode(folder, tmp_path, capsys):
    out = tmp_path / os.fsdecode(b"r\xff")
    arguments = [str(folder), "--out", str(out), "--zip", "--quiet"]
    assert main(["batch", *arguments]) in (0, 3)
    assert (out / "results.parquet").stat().st_size
    assert out.with_name(f"{out.name}.zip").is_file()
