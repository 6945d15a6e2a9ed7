"""Maps equal those of torchcam and pytorch-grad-cam, for each class, at two layers.

Their maps are positive and scaled to 1; ours are brought to that before they are compared. Where
the two differ from each other we follow the paper: Grad-CAM++ is compared with pytorch-grad-cam,
whose small constant in the denominator vanishes beside the large gradients made here; Score-CAM
with torchcam, which scales a channel before it enlarges it.
"""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from core.learning.explaining.explanation import METHODS, explain_all
from core.learning.models import Classifier, ModelCard
from core.learning.models.networks import build_network
from core.micrograph import Micrograph

pytest.importorskip("torchcam", reason="torchcam is not installed")
pytest.importorskip("pytorch_grad_cam", reason="pytorch-grad-cam is not installed")

CLASSES = ("a", "b", "c")
# name -> (earlier layer, its module; last layer, its module), as paths for the peers
LAYERS = {
    "resnet18": {"stage 3": "layer3", "stage 4": "layer4"},
    "visualcnn": {"block 3": "features.11", "block 4": "features.15"},
    "alexnet": {"block 4": "features.9", "block 5": "features.11"},
}
CASES = [(name, layer) for name, layers in LAYERS.items() for layer in layers]
GRAD_CAM_PEERS = {
    "grad-cam": "GradCAM",
    "grad-cam++": "GradCAMPlusPlus",
    "xgrad-cam": "XGradCAM",
    "hirescam": "HiResCAM",
    "layercam": "LayerCAM",
    "eigengrad-cam": "EigenGradCAM",
    "eigen-cam": "EigenCAM",
}
TORCHCAM_PEERS = {"grad-cam": "GradCAM", "xgrad-cam": "XGradCAM", "layercam": "LayerCAM"}


@pytest.fixture(scope="module")
def classifiers() -> dict[str, Classifier]:
    """Untrained networks whose scores are large: peers add 1e-6 here and there."""
    made = {}
    for number, name in enumerate(LAYERS):
        torch.manual_seed(number)
        network = build_network(name, len(CLASSES), {})
        linear = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
        with torch.no_grad():
            linear.weight *= 3000
        preparation = {"area_px": 64 * 64, "multiple_px": 32}
        made[name] = Classifier(network, ModelCard(name, name, CLASSES, preparation=preparation))
    return made


@pytest.fixture(scope="module")
def micrograph() -> Micrograph:
    pixels = np.random.default_rng(0).integers(0, 255, (96, 128)).astype(np.uint8)
    pixels[20:60, 30:80] //= 3
    return Micrograph("square", pixels)


@pytest.fixture
def bare(classifiers: dict[str, Classifier], request: pytest.FixtureRequest) -> Iterator[nn.Module]:
    """The network as the peers need it: able to take gradients; put back afterwards."""
    network = classifiers[request.param].network.requires_grad_(True)
    yield network
    network.requires_grad_(False)


def positive(raw: np.ndarray) -> np.ndarray:
    clipped = np.clip(raw, 0, None)
    return clipped / max(clipped.max(), 1e-30)


@pytest.mark.parametrize(
    ("bare", "layer"), CASES, indirect=["bare"], ids=[f"{n}-{layer}" for n, layer in CASES]
)
def test_maps_equal_those_of_pytorch_grad_cam(
    classifiers: dict[str, Classifier],
    micrograph: Micrograph,
    bare: nn.Module,
    layer: str,
    request: pytest.FixtureRequest,
) -> None:
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    name = request.node.callspec.params["bare"]
    module = bare.get_submodule(LAYERS[name][layer])
    inputs = classifiers[name].prepare(micrograph)
    for target, label in enumerate(CLASSES):
        ours = explain_all(
            classifiers[name],
            micrograph,
            target=label,
            layer=layer,
            methods=[*GRAD_CAM_PEERS, "ablation-cam"] if target == 0 else [*GRAD_CAM_PEERS],
        )
        for method in ours:
            peer = GRAD_CAM_PEERS.get(method, "AblationCAM")
            with getattr(pytorch_grad_cam, peer)(bare, [module]) as cam:
                cam.batch_size = 64
                theirs = raw_map(cam, inputs, [ClassifierOutputTarget(target)])
            raw = ours[method].raw
            if method.startswith("eigen") and (theirs * raw).sum() < 0:
                theirs = -theirs  # the sign of a principal component is free
            if method == "ablation-cam":  # theirs turns over where the score is negative
                with torch.no_grad():
                    theirs = theirs * float(bare(inputs)[0, target].sign())
            np.testing.assert_allclose(
                positive(raw), positive(theirs), atol=1e-5, err_msg=f"{method} {label}"
            )


def raw_map(cam: object, inputs: torch.Tensor, targets: list[object]) -> np.ndarray:
    """Return the peer's map (h, w) before it is clipped, scaled and enlarged."""
    cam.activations_and_grads(inputs)  # type: ignore[attr-defined]
    outputs = cam.activations_and_grads(inputs)  # type: ignore[attr-defined]
    if cam.uses_gradients:  # type: ignore[attr-defined]
        cam.model.zero_grad()  # type: ignore[attr-defined]
        sum(target(output) for target, output in zip(targets, outputs, strict=True)).backward()
    seen = cam.activations_and_grads  # type: ignore[attr-defined]
    gradient = seen.gradients[0].numpy() if seen.gradients else None
    image = cam.get_cam_image(  # type: ignore[attr-defined]
        inputs,
        cam.target_layers[0],  # type: ignore[attr-defined]
        targets,
        seen.activations[0].numpy(),
        gradient,
        False,
    )
    return np.asarray(image)[0]


@pytest.mark.parametrize(
    ("bare", "layer"), CASES, indirect=["bare"], ids=[f"{n}-{layer}" for n, layer in CASES]
)
def test_maps_equal_those_of_torchcam(
    classifiers: dict[str, Classifier],
    micrograph: Micrograph,
    bare: nn.Module,
    layer: str,
    request: pytest.FixtureRequest,
) -> None:
    from torchcam import methods

    name = request.node.callspec.params["bare"]
    inputs = classifiers[name].prepare(micrograph)
    peers = TORCHCAM_PEERS if name == "alexnet" else {**TORCHCAM_PEERS, "score-cam": "ScoreCAM"}
    module = LAYERS[name][layer]
    for target, label in enumerate(CLASSES):
        for method, peer in peers.items():
            if method == "score-cam" and target:
                continue
            with getattr(methods, peer)(bare, module, input_shape=tuple(inputs.shape[1:])) as cam:
                scores = bare(inputs.clone().requires_grad_(True))
                theirs = cam(target, scores, normalized=False)[0][0]
            ours = explain_all(
                classifiers[name], micrograph, target=label, layer=layer, methods=(method,)
            )
            np.testing.assert_allclose(
                positive(ours[method].raw),
                positive(theirs.detach().numpy()),
                atol=1e-5,
                err_msg=f"{method} {label}",
            )


def test_finer_cam_equals_pytorch_grad_cams(
    classifiers: dict[str, Classifier], micrograph: Micrograph
) -> None:
    """Against one similar class and with its factor of 1 it is Grad-CAM of the margin."""
    from pytorch_grad_cam import FinerCAM
    from pytorch_grad_cam.utils.model_targets import FinerWeightedTarget

    classifier = classifiers["resnet18"]
    network = classifier.network.requires_grad_(True)
    try:
        cam = FinerCAM(network, [network.get_submodule("layer4")])
        inputs = classifier.prepare(micrograph)
        theirs = raw_map(cam.base_cam, inputs, [FinerWeightedTarget(0, [2], 1)])
        cam.base_cam.activations_and_grads.release()
    finally:
        network.requires_grad_(False)
    ours = explain_all(classifier, micrograph, target="a", contrast="c", methods=("finer-cam",))[
        "finer-cam"
    ]
    np.testing.assert_allclose(positive(ours.raw), positive(theirs), atol=1e-5)
    assert ours.contrast == "c"


def test_every_method_with_a_peer_is_compared() -> None:
    alone = {"cam", "occlusion", "integrated-gradients", "random", "sobel"}
    compared = {*GRAD_CAM_PEERS, *TORCHCAM_PEERS, "score-cam", "ablation-cam", "finer-cam"}
    assert compared | alone == set(METHODS)
