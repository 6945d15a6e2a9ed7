"""Visual-CCC's two networks and its way from picture to logits, with torchvision's own parts."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision import models, transforms

NETWORKS = ("alexnet", "visualcnn")


class OriginalCNN(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((1, 32), (32, 64), (64, 128), (128, 256)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after)]
            layers += [nn.ReLU(), nn.MaxPool2d(2, 2)]
        self.features = nn.Sequential(*layers)
        self.gap = nn.AdaptiveAvgPool2d((1, 1))
        self.classifier = nn.Linear(256, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.flatten(self.gap(self.features(x)), 1))


def original(name: str, outputs: int) -> nn.Module:
    """A network as Visual-CCC builds it, with weights of which every one matters."""
    torch.manual_seed(outputs)
    network = OriginalCNN(outputs)
    if name == "alexnet":
        network = models.alexnet(weights=None)
        network.features[0] = nn.Conv2d(1, 64, kernel_size=11, stride=4, padding=2)
        network.classifier[6] = nn.Linear(4096, outputs)
    _vary_statistics(network)
    return network.eval()


def torchvision_network(name: str, outputs: int) -> nn.Module:
    """A three-channel network as torchvision builds it; its own first weights take seconds."""
    with torch.device("meta"):
        network = models.get_model(name, weights=None, num_classes=outputs)
    network.to_empty(device="cpu")
    torch.manual_seed(outputs)
    _vary_statistics(network)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim > 1:
                weight.normal_(std=(2 / weight[0].numel()) ** 0.5)
            else:
                weight.normal_(mean=float(name.endswith("weight")), std=0.1)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        network.train()(torch.rand(2, 3, 64, 64))  # statistics that belong to the weights
    return network.eval()


def _vary_statistics(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)


def logits(network: nn.Module, pixels: np.ndarray) -> torch.Tensor:
    """What the original program computes of an eight-bit picture."""
    prepare = transforms.Compose(
        [
            transforms.Resize(307),
            transforms.CenterCrop(256),
            transforms.Grayscale(1),
            transforms.ToTensor(),
        ]
    )
    with torch.inference_mode():
        return network(prepare(Image.fromarray(pixels))[None])[0]


def save(path: Path, network: nn.Module, **beside: Any) -> Path:
    """Write a checkpoint with what stands beside the weights; without that, a bare state dict."""
    weights = network.state_dict()
    torch.save({"model_state_dict": weights, **beside} if beside else weights, path)
    return path
