"""Maps from what happens to the class score S when a part is hidden or shown alone."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import torch
from torch import Tensor
from torch.nn import functional

from core.learning.explaining.methods.gradients import grad_cam
from core.learning.explaining.methods.scene import Scene
from core.learning.models import batch_size

WINDOW_SHARE = 1 / 6
STEPS = 32
FINE_STEPS, FINE_BLUR_PX = 8, 2.0
RISE_MASKS, RISE_CELLS = 400, 8


def score_cam(scene: Scene) -> Tensor:
    """Σ_c softmax_c(S(x ∘ M_c)) A_c, M_c being A_c scaled to 0–1 and enlarged to the input.

    With a limited number of channels the scores of the others are estimated: by a straight line,
    fitted to those tried, through how much of Σ_c g_c A_c each mask shows.
    """
    masks = _unit_range(scene.maps)
    size = scene.inputs.shape[2:]

    def shown_alone(channels: Tensor) -> Tensor:
        enlarged = functional.interpolate(
            masks[channels][:, None], size, mode="bilinear", align_corners=False
        )
        return scene.scores(scene.inputs * enlarged)

    tried = _strongest(scene)
    every = _fill_in(_in_batches(tried, shown_alone, scene), tried, scene, masks)
    return torch.einsum("c,chw->hw", torch.softmax(every, dim=0), scene.maps)


def ablation_cam(scene: Scene) -> Tensor:
    """Σ_c ((S - S_without_c) / S) A_c, with channel c of the activation set to zero.

    Divided by the size of S, so that a negative score does not turn the map over. Channels that
    are not tried count with their first-order effect Σ g A, which is exact for a linear head.
    """

    def without(channels: Tensor) -> Tensor:
        maps = scene.activation[None].repeat(len(channels), 1, 1, 1)
        maps[torch.arange(len(channels)), channels] = 0
        return scene.scores_after(maps)

    with torch.no_grad():
        score = scene.scores_after(scene.activation[None])[0]
    tried = _strongest(scene)
    drops = _first_order(scene)
    drops[tried] = score - _in_batches(tried, without, scene)
    weights = drops / score.abs().clamp(min=1e-12)
    return torch.einsum("c,chw->hw", weights, scene.maps)


def occlusion(scene: Scene) -> Tensor:
    """Drop of S under a window of the mean grey level, averaged over all windows on a pixel.

    The window is a sixth of the short side and moves by half of itself.
    """
    height, width = scene.inputs.shape[2:]
    window = max(2, round(min(height, width) * WINDOW_SHARE))
    # One pixel more where it puts the middle window into the middle: no side is preferred.
    high, wide = (window + (side - window) % 2 for side in (height, width))
    corners = torch.cartesian_prod(_starts(height, high), _starts(width, wide))
    ground = scene.mean_grey

    def hidden(numbers: Tensor) -> Tensor:
        views = scene.inputs.repeat(len(numbers), 1, 1, 1)
        for view, (top, left) in zip(views, corners[numbers].tolist(), strict=True):
            view[:, top : top + high, left : left + wide] = ground
        return scene.scores(views)

    with torch.no_grad():
        score = scene.scores(scene.inputs)[0]
    drops = score - _in_batches(torch.arange(len(corners)), hidden, scene)
    total = scene.inputs.new_zeros(height, width)
    count = torch.zeros_like(total)
    for drop, (top, left) in zip(drops, corners.tolist(), strict=True):
        place = slice(top, top + high), slice(left, left + wide)
        total[place] += drop
        count[place] += 1
    return total / count


def rise(scene: Scene) -> Tensor:
    """Mean of S(x shown under M) (M - mean M), M being random coarse masks, smoothly enlarged.

    Half of the cells of a grid of eight are shown in each of 400 masks, shifted by part of a cell.
    """
    height, width = scene.inputs.shape[2:]
    draw = torch.Generator().manual_seed(scene.seed)
    ground = scene.mean_grey
    total = scene.inputs.new_zeros(height, width)
    seen = 0
    for count in _pieces(RISE_MASKS, batch_size((height, width))):
        masks = _random_masks(count, (height, width), draw).to(scene.inputs.device)
        with torch.no_grad():
            scores = scene.scores(ground + (scene.inputs - ground) * masks)
        total += torch.einsum("n,nhw->hw", scores, masks[:, 0] - 0.5)
        seen += count
    return total / seen


def _pieces(total: int, most: int) -> list[int]:
    return [min(most, total - start) for start in range(0, total, most)]


def _random_masks(count: int, size_hw: tuple[int, int], draw: torch.Generator) -> Tensor:
    """Return masks (count, 1, H, W), 0 to 1, whose cells lie elsewhere in each."""
    height, width = size_hw
    rows, cols = (-(-side // RISE_CELLS) for side in size_hw)
    coarse = (torch.rand(count, 1, RISE_CELLS + 1, RISE_CELLS + 1, generator=draw) < 0.5).float()
    large = (rows * (RISE_CELLS + 1), cols * (RISE_CELLS + 1))
    smooth = functional.interpolate(coarse, large, mode="bilinear", align_corners=False)
    tops = torch.randint(0, rows, (count,), generator=draw).tolist()
    lefts = torch.randint(0, cols, (count,), generator=draw).tolist()
    return torch.stack(
        [
            mask[:, top : top + height, left : left + width]
            for mask, top, left in zip(smooth, tops, lefts, strict=True)
        ]
    )


def integrated_gradients(scene: Scene) -> Tensor:
    """x ∘ mean of ∂S/∂x along the way from the mean grey level to x; sums to S(x) - S(grey)."""
    return _integrate(scene, STEPS)


def fine_view(scene: Scene) -> Tensor:
    """Positive integrated gradients (8 steps), blurred by 2 px, times positive Grad-CAM.

    The gradients say where to the pixel, Grad-CAM which of the places count for the class. About
    nine passes; at the resolution of the input.
    """
    sharp = _integrate(scene, FINE_STEPS).clamp(min=0).cpu().numpy()
    blurred = torch.from_numpy(cv2.GaussianBlur(sharp, (0, 0), FINE_BLUR_PX))
    coarse = functional.interpolate(
        grad_cam(scene)[None, None], scene.inputs.shape[2:], mode="bilinear", align_corners=False
    )[0, 0]
    return blurred.to(coarse.device) * coarse.clamp(min=0)


def _integrate(scene: Scene, steps: int) -> Tensor:
    """Return integrated gradients (h, w) from so many places along the way."""
    inputs, ground = scene.inputs, scene.mean_grey
    way = inputs - ground
    places = (torch.arange(steps, device=inputs.device) + 0.5) / steps
    total = torch.zeros_like(inputs)
    for part in torch.split(places, max(1, batch_size(inputs.shape[2:]) // 2)):
        leaf = (ground + way * part[:, None, None, None]).requires_grad_(True)
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(scene.scores(leaf).sum(), leaf)
        total += gradient.sum(dim=0, keepdim=True)
    return (way * total / steps)[0, 0]


def _in_batches(numbers: Tensor, scores: Callable[[Tensor], Tensor], scene: Scene) -> Tensor:
    together = batch_size(scene.inputs.shape[2:])
    with torch.no_grad():
        return torch.cat([scores(part) for part in torch.split(numbers, together)])


def _first_order(scene: Scene) -> Tensor:
    """Return Σ g A per channel, (C,): how much S would fall without it, were S linear."""
    return (scene.slopes * scene.maps).sum(dim=(1, 2))


def _strongest(scene: Scene) -> Tensor:
    """Return which channels to try: those with the largest |Σ g A|, a first guess of effect."""
    effect = _first_order(scene).abs()
    count = len(effect) if scene.channels is None else min(scene.channels, len(effect))
    return effect.argsort(descending=True, stable=True)[:count]


def _fill_in(scores: Tensor, tried: Tensor, scene: Scene, masks: Tensor) -> Tensor:
    """Return a score for every channel: those tried as they are, the others by a fitted line."""
    shown = (masks * (scene.slopes * scene.maps).sum(dim=0)).sum(dim=(1, 2))
    known = shown[tried] - shown[tried].mean()
    spread = known.square().sum()
    slope = (known * (scores - scores.mean())).sum() / torch.where(spread > 0, spread, 1)
    every = scores.mean() + slope * (shown - shown[tried].mean())
    every[tried] = scores
    return every


def _unit_range(activation: Tensor) -> Tensor:
    low = activation.amin(dim=(1, 2), keepdim=True)
    spread = activation.amax(dim=(1, 2), keepdim=True) - low
    return (activation - low) / torch.where(spread > 0, spread, 1)


def _starts(length: int, window: int) -> Tensor:
    """Return first pixels of windows that reach from end to end, about half a window apart."""
    count = max(1, -(-2 * (length - window) // window)) + 1
    return torch.linspace(0, max(0, length - window), count).round().long()
