"""The pictures of Home's strip, made by the same code as the pages' results.

`python -m core.ui.home.thumbnails` makes them anew, of the simulated samples that each task loads;
a test says when the samples have changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.imaging import display
from core.imaging.display import legends
from core.imaging.overlays import find_overlays
from core.imaging.simulation import sample_micrograph
from core.measuring.clustering import Clustering
from core.measuring.regions import label_regions, trace_regions
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.home.tasks import PICTURES, TASKS, Task

Picture = NDArray[np.uint8]
SIZE_WH = (480, 300)
MADE_OF = "made_of.txt"  # digests of the samples
_QUALITY = 80
_TEAL, _ORANGE, _INK, _PAPER = (57, 208, 255), (240, 148, 90), (14, 21, 22), (252, 252, 251)
_WHITE = (255, 255, 255)
_METHODS = ("grad-cam", "layercam", "finer-cam", "eigengrad-cam")


def make() -> dict[str, bytes]:
    """Return every picture as WebP, by file name, and the digests of what they show."""
    makers: dict[str, Callable[[Sequence[Micrograph]], Picture]] = {
        "what": _what,
        "measure": _measure,
        "phases": _phases,
        "explain": _explain,
        "compare": _compare,
    }
    files = {}
    for task in TASKS:
        drawn = makers[task.name](samples(task))
        _, packed = cv2.imencode(".webp", drawn[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
        files[task.picture.name] = packed.tobytes()
    files[MADE_OF] = "\n".join(f"{task.name} {digest(task)}" for task in TASKS).encode()
    return files


def samples(task: Task) -> list[Micrograph]:
    """Return the simulated micrographs that a task loads."""
    return [sample_micrograph(kind, seed).micrograph for kind, seed in task.samples]


def digest(task: Task) -> str:
    """Return a digest of what a task loads."""
    together = "".join(each.sha256 for each in samples(task))
    return hashlib.sha256(together.encode()).hexdigest()[:16]


def _fit(picture: NDArray[np.uint8], top: int = 0, height: int = 640) -> Picture:
    """Return a strip of a frame, of the pictures' proportions, at their size."""
    cut = picture[top : top + height, : round(height * SIZE_WH[0] / SIZE_WH[1])]
    fitted = cv2.resize(np.ascontiguousarray(cut), SIZE_WH, interpolation=cv2.INTER_AREA)
    return np.asarray(fitted if fitted.ndim == 3 else np.dstack([fitted] * 3), np.uint8)


def _heat(micrograph: Micrograph, method: str) -> tuple[NDArray[np.float32], str, float]:
    """Return the evidence over the frame, the class in words and its probability."""
    from core.learning.classifying import classify
    from core.learning.explaining import explain
    from core.learning.models import list_models, load_model

    model = load_model(list_models()[0])
    mask = find_overlays(micrograph)
    answer = classify(model, [micrograph], excludes=[mask])[0]
    found = explain(model, micrograph, method, exclude=mask)
    return found.heatmap, model.card.display_name(answer.label), answer.probability


def _what(micrographs: Sequence[Micrograph]) -> Picture:
    micrograph = micrographs[0]
    heat, name, probability = _heat(micrograph, "grad-cam")
    top = micrograph.shape[0] - 48 - 640
    blended = display.blend_heatmap(micrograph.pixels, heat, 0.6, "inferno")
    blended = legends.draw_contour(blended, heat, 0.5)
    left = round(0.3 * SIZE_WH[0])
    drawn = _fit(blended, top)
    drawn[:, :left] = _fit(micrograph.pixels, top)[:, :left]
    drawn[:, left - 1 : left + 1] = 255
    return _label(drawn, f"{name}, {100 * probability:.0f} %")


def _measure(micrographs: Sequence[Micrograph]) -> Picture:
    from core.learning.particles import find_particles

    micrograph = micrographs[0]
    mask = find_overlays(micrograph)
    labels = find_particles(micrograph, exclude=mask)
    large = np.dstack([micrograph.pixels] * 3)
    for _, outline in trace_regions(labels):
        points = np.round(np.asarray(outline)[:, ::-1]).astype(np.int32)
        cv2.polylines(large, [points], True, _TEAL, 3, cv2.LINE_AA)
    drawn = _fit(large)
    sizes = _diameters_um(labels, micrograph)
    _histogram(drawn, sizes)
    return _label(drawn, f"{len(sizes)} particles, median {np.median(sizes):.1f} µm")


def _diameters_um(labels: NDArray[Any], micrograph: Micrograph) -> NDArray[np.float64]:
    """Return the diameters of circles as large as the regions."""
    areas_px = np.bincount(labels.ravel())[1:]
    size = micrograph.pixel_size
    um_per_px = size.to("nm") / 1e3 if size else 1.0
    return np.asarray(2 * np.sqrt(areas_px[areas_px > 0] / np.pi) * um_per_px)


def _histogram(drawn: Picture, values: NDArray[np.float64]) -> None:
    """Draw how sizes spread into the upper right corner."""
    width, height, margin = 150, 92, 10
    right = SIZE_WH[0] - margin
    box = drawn[margin : margin + height, right - width : right]
    box[:] = (0.2 * box + 0.8 * np.array(_INK)).astype(np.uint8)
    edges = np.geomspace(np.quantile(values, 0.01), values.max(), 13)
    counts, _ = np.histogram(values, edges)
    step = (width - 20) // len(counts)
    for place, count in enumerate(counts):
        tall = round((height - 20) * count / counts.max())
        x = right - width + 10 + step * place
        foot = margin + height - 10
        cv2.rectangle(drawn, (x, foot - tall), (x + step - 3, foot), _TEAL, -1)


def _two_phases(micrograph: Micrograph) -> Clustering:
    """Return what the Cluster page shows with two clusters."""
    choice = cache.ClusterChoice(2)
    return cache.clusters(micrograph, cache.settled(micrograph, choice))


def _phases(micrographs: Sequence[Micrograph]) -> Picture:
    micrograph = micrographs[0]
    found = _two_phases(micrograph)
    colour = np.array(_ORANGE)
    large = np.dstack([micrograph.pixels] * 3).astype(float)
    bright = found.labels == 1
    large[bright] = 0.35 * large[bright] + 0.65 * colour
    share = found.fractions[1]
    return _label(_fit(large.astype(np.uint8)), f"carbide {100 * share:.1f} %")


def _explain(micrographs: Sequence[Micrograph]) -> Picture:
    from core.learning.explaining import EVERY_METHOD

    micrograph = micrographs[0]
    names = [name for name in _METHODS if name in EVERY_METHOD]
    tiles = []
    for name in names:
        heat, _, _ = _heat(micrograph, name)
        tile = _fit(display.blend_heatmap(micrograph.pixels, heat, 0.6, "inferno"))
        small = cv2.resize(tile, (SIZE_WH[0] // 2, SIZE_WH[1] // 2), interpolation=cv2.INTER_AREA)
        tiles.append(_label(np.asarray(small, np.uint8), EVERY_METHOD[name].title, 15))
    drawn = np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])
    drawn[SIZE_WH[1] // 2 - 1 : SIZE_WH[1] // 2 + 1] = 255
    drawn[:, SIZE_WH[0] // 2 - 1 : SIZE_WH[0] // 2 + 1] = 255
    return drawn


def _compare(micrographs: Sequence[Micrograph]) -> Picture:
    task = next(each for each in TASKS if each.name == "compare")
    medians: dict[str, list[float]] = {}
    first: dict[str, Micrograph] = {}
    for sample, micrograph in zip(task.samples, micrographs, strict=True):
        carbides = label_regions(_two_phases(micrograph).labels == 1, min_area_px=10)
        median = float(np.median(1e3 * _diameters_um(carbides, micrograph)))
        medians.setdefault(task.groups[sample], []).append(median)
        first.setdefault(task.groups[sample], micrograph)
    half = SIZE_WH[1] // 2
    drawn = np.full((SIZE_WH[1], SIZE_WH[0], 3), _PAPER, np.uint8)
    for place, (name, micrograph) in enumerate(first.items()):
        tile = _fit(micrograph.pixels)[:half, : SIZE_WH[0] // 2]
        drawn[place * half : (place + 1) * half, : SIZE_WH[0] // 2] = _label(tile, name, 15)
    drawn[half - 1 : half + 1, : SIZE_WH[0] // 2] = 255
    return _dots(drawn, medians)


def _dots(drawn: Picture, medians: dict[str, list[float]]) -> Picture:
    """Draw each field as a dot and each sample's mean as a line, on the right half."""
    every = [value for values in medians.values() for value in values]
    low, high = min(every), max(every)
    room = 0.35 * (high - low) + 0.2
    low, high = low - room, high + room
    left, right, foot, head = SIZE_WH[0] // 2 + 50, SIZE_WH[0] - 16, SIZE_WH[1] - 52, 24
    image = Image.fromarray(drawn)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=15)
    pen.line([(left, head), (left, foot), (right, foot)], fill=_INK, width=1)
    for value in np.linspace(low, high, 5)[1:-1]:
        y = foot - (value - low) / (high - low) * (foot - head)
        pen.line([(left - 4, y), (left, y)], fill=_INK)
        pen.text(
            (left - 7, y), f"{value:.0f}" if high - low > 4 else f"{value:.1f}", _INK, font, "rm"
        )
    for place, (name, values) in enumerate(medians.items()):
        x = left + (place + 0.5) * (right - left) / len(medians)
        heights = [foot - (value - low) / (high - low) * (foot - head) for value in values]
        colour = ((11, 110, 117), (194, 87, 26))[place % 2]
        middle = float(np.mean(heights))
        pen.line([(x - 24, middle), (x + 24, middle)], fill=colour, width=3)
        for shift, y in zip((-9, 0, 9), heights, strict=False):
            pen.ellipse((x + shift - 5, y - 5, x + shift + 5, y + 5), fill=colour)
        pen.text((x, foot + 8), name.split()[0], _INK, font, "ma")
    pen.text(((left + right) / 2, SIZE_WH[1] - 8), "carbides, median (nm)", _INK, font, "mb")
    return np.asarray(image)


def _label(drawn: Picture, words: str, size: int = 21) -> Picture:
    """Write words on a dark strip in the lower left corner."""
    image = Image.fromarray(drawn)
    pen, font = ImageDraw.Draw(image, "RGBA"), ImageFont.load_default(size=size)
    wide, pad = pen.textlength(words, font=font), round(0.45 * size)
    height = drawn.shape[0]
    pen.rectangle((0, height - size - 2 * pad, wide + 2 * pad, height), fill=(*_INK, 205))
    middle = height - pad - size / 2
    pen.text((pad, middle), words.replace("µ", "u"), _WHITE, font, "lm")
    for place in (n for n, letter in enumerate(words) if letter == "µ"):
        _tail(pen, font, (pad + pen.textlength(words[:place], font=font), middle), size)
    return np.asarray(image.convert("RGB"))


def _tail(pen: ImageDraw.ImageDraw, font: Any, at: tuple[float, float], size: int) -> None:
    """Make a µ of the u that was written at a place: Pillow's own letters have none."""
    left, _, _, foot = pen.textbbox(at, "u", font=font, anchor="lm")
    stem = max(1, round(0.09 * size))
    pen.rectangle((left, foot - 0.3 * size, left + stem - 1, foot + 0.2 * size), fill=_WHITE)


if __name__ == "__main__":
    for name, data in make().items():
        path = PICTURES / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
