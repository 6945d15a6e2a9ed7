"""Explanations against the bare network and against other programs, in one run on this machine.

    python tests/benchmarks/bench_explain.py

Frames of 256 x 256 on two threads. Times are the median of alternating rounds. "Bare" is the
network's own forward pass under inference_mode on a prepared input. The peers get the prepared
input, too, and give maps enlarged to the frame, as ours do from the micrograph on.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import pytorch_grad_cam  # noqa: E402
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # noqa: E402
from torchcam.methods import GradCAM as TorchcamGradCAM  # noqa: E402

from core.imaging.simulation.samples import simulate  # noqa: E402
from core.learning.explaining.explanation import explain, explain_all  # noqa: E402
from core.learning.models import Classifier, ModelCard, load_model  # noqa: E402
from core.learning.models.networks import build_network  # noqa: E402
from core.micrograph import Micrograph  # noqa: E402

SEVEN = (
    *("grad-cam", "grad-cam++", "xgrad-cam", "hirescam", "layercam"),
    *("eigen-cam", "eigengrad-cam"),
)
PEERS = (
    *("GradCAM", "GradCAMPlusPlus", "XGradCAM", "HiResCAM", "LayerCAM"),
    *("EigenCAM", "EigenGradCAM"),
)
ROUNDS = 15
CHANNELS = 14


def median_ms(works: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median time of each work in ms; the works take turns."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            spent[name].append(1000 * (time.perf_counter() - began))
    return {name: float(np.median(values)) for name, values in spent.items()}


def peer_map(peer: str, network: torch.nn.Module, layer: torch.nn.Module, inputs: torch.Tensor):
    """Return the map of a pytorch-grad-cam method for the first class, silently."""
    quiet = contextlib.redirect_stderr(io.StringIO())
    with quiet, getattr(pytorch_grad_cam, peer)(network, [layer]) as cam:
        return cam(inputs, [ClassifierOutputTarget(0)])[0]


def compare(name: str, classifier: Classifier, micrograph: Micrograph, layer: str) -> None:
    """Print times of the one-pass methods of a network."""
    inputs = classifier.prepare(micrograph)
    network = classifier.network
    module = network.get_submodule(layer)
    target = classifier.card.classes[0]
    size = tuple(inputs.shape[1:])

    def bare() -> object:
        with torch.inference_mode():
            return network(inputs)

    def torchcam() -> object:
        with TorchcamGradCAM(network, layer, input_shape=size) as cam:
            heat = cam(0, network(inputs.clone().requires_grad_(True)))[0]
            return torch.nn.functional.interpolate(heat[None], micrograph.shape, mode="bilinear")

    def afresh(work: Callable[[], object]) -> Callable[[], object]:
        """Return a work that finds no activation map of the frame remembered."""

        def run() -> object:
            classifier._recent._kept.clear()
            return work()

        return run

    works = {
        "bare": bare,
        "prepare": lambda: classifier.prepare(micrograph),
        "ours Grad-CAM": afresh(lambda: explain(classifier, micrograph, target=target)),
        "ours seven": afresh(
            lambda: explain_all(classifier, micrograph, target=target, methods=SEVEN)
        ),
        "ours, one more class": lambda: explain(classifier, micrograph, target=target),
    }
    ours = median_ms(works)
    network.requires_grad_(True)
    theirs = median_ms(
        {
            "torchcam Grad-CAM": torchcam,
            "pytorch-grad-cam Grad-CAM": lambda: peer_map("GradCAM", network, module, inputs),
            "pytorch-grad-cam seven": lambda: [
                peer_map(peer, network, module, inputs) for peer in PEERS
            ],
        },
        9,
    )
    network.requires_grad_(False)
    print(f"\n{name}, input {size[1]} x {size[2]}")
    for label, value in (ours | theirs).items():
        print(f"  {label:28s} {value:9.2f} ms")
    one, seven = ours["ours Grad-CAM"], ours["ours seven"]
    print(f"  Grad-CAM / bare              {one / ours['bare']:9.2f} x (bar 1.3)")
    print(f"  seven / bare                 {seven / ours['bare']:9.2f} x (bar 1.6)")
    print(f"  torchcam / Grad-CAM          {theirs['torchcam Grad-CAM'] / one:9.2f} x (bar 1.2)")
    other = theirs["pytorch-grad-cam Grad-CAM"]
    print(f"  pytorch-grad-cam / Grad-CAM  {other / one:9.2f} x (bar 3)")
    print(
        f"  its seven / ours             {theirs['pytorch-grad-cam seven'] / seven:9.2f} x (bar 12)"
    )


def compare_score_cam(
    name: str, classifier: Classifier, micrographs: list[Micrograph], layer: str
) -> None:
    """Print how fast and how close Score-CAM and Ablation-CAM with few channels are."""
    network, target = classifier.network, classifier.card.classes[0]
    module = network.get_submodule(layer)
    inputs = classifier.prepare(micrographs[0])
    few = median_ms(
        {
            m: lambda m=m: explain(classifier, micrographs[0], m, target, channels=CHANNELS)
            for m in ("score-cam", "ablation-cam")
        },
        5,
    )
    every = median_ms(
        {
            m: lambda m=m: explain(classifier, micrographs[0], m, target)
            for m in ("score-cam", "ablation-cam")
        },
        1,
    )
    network.requires_grad_(True)
    peer = median_ms({"": lambda: peer_map("ScoreCAM", network, module, inputs)}, 1)[""]
    network.requires_grad_(False)
    print(f"\n{name}: {CHANNELS} channels of {classifier.features(inputs).shape[1]}")
    print(f"  pytorch-grad-cam Score-CAM   {peer:9.0f} ms")
    for method, value in few.items():
        pairs = [
            (
                explain(classifier, m, method, target, channels=CHANNELS).raw.ravel(),
                explain(classifier, m, method, target).raw.ravel(),
            )
            for m in micrographs
        ]
        close = [float(spearmanr(a, b).statistic) for a, b in pairs]
        print(
            f"  {method:12s} all {every[method]:7.0f} ms, few {value:6.0f} ms, "
            f"rank correlation mean {np.mean(close):.3f}, least {min(close):.3f}"
        )
    ratio = peer / few["score-cam"]
    print(f"  pytorch-grad-cam / ours few  {ratio:9.1f} x (bar 10, correlation 0.95)")


def main() -> None:
    """Print all figures."""
    torch.set_num_threads(2)
    kinds = ("dendrites", "spheroids", "alloys", "polyhedra", "rods_fibres")
    frames = [simulate(kind, shape=(256, 256), seed=4).micrograph for kind in kinds]
    torch.manual_seed(0)
    card = ModelCard("resnet18", "resnet18", ("a", "b", "c"), preparation={"multiple_px": 32})
    resnet = Classifier(build_network("resnet18", 3, {}), card)
    shipped = load_model("em-morph5", device="cpu")
    compare("resnet18", resnet, frames[0], "layer4")
    compare("em-morph5", shipped, frames[0], "stages.3")
    compare_score_cam("resnet18", resnet, frames[:2], "layer4")
    compare_score_cam("em-morph5", shipped, frames, "stages.3")


if __name__ == "__main__":
    main()
