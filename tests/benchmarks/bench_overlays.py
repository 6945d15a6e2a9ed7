"""How well `find_overlays` does on real micrographs with painted overlays.

Run as `python -m tests.benchmarks.bench_overlays [FOLDER] [--pictures N]`.

FOLDER (by default the full frames that the shipped model learnt from) holds micrographs without
overlays (any depth of sub-folders). Onto each are painted, with a fixed seed: an info bar of one of
several styles, a scale bar with label, a panel letter. What was painted is the truth. Written
beside this script: bench_overlays.json, and for another seed bench_overlays_seed1.json and so on.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.imaging.overlays.finding import find_overlays
from core.imaging.reading.opening import read_micrograph
from core.micrograph import Micrograph

PICTURES = Path(__file__).resolve().parents[3] / "shared" / "data" / "em-morph5-full"
FOUND_SHARE = 0.6  # of the painted pixels that must be covered for an overlay to count as found


@dataclass(frozen=True)
class Painted:
    pixels: np.ndarray
    truth: np.ndarray
    bar_rows: int = 0


def text_size(label: str, size: int, weight: int) -> tuple[int, int, int, int]:
    font = cv2.FontFace("sans")
    return cv2.getTextSize((4000, 4000), label, (0, 0), font, size, weight)


def put_text(
    pixels: np.ndarray, label: str, corner: tuple[int, int], size: int, level: int, weight: int
) -> tuple[int, int]:
    """Paint text with its upper left corner at (row, col); return its (height, width)."""
    left, top, width, height = text_size(label, size, weight)
    origin = int(corner[1] - left), int(corner[0] - top)
    cv2.putText(pixels, label, origin, int(level), cv2.FontFace("sans"), size, weight)
    return height, width


def paint_info_bar(pixels: np.ndarray, rng: np.random.Generator) -> Painted:
    """Append an info bar below (or above): plate, optional rule, dividers, two rows of fields."""
    height, width = pixels.shape
    rows = int(np.clip(rng.uniform(0.045, 0.12) * height, 18, 200))
    plate, ink = [(0, 255), (255, 0), (12, 250), (235, 10)][rng.integers(4)]
    band = np.full((rows, width), plate, np.uint8)
    size = int(rng.uniform(0.3, 0.42) * rows) if rng.random() < 0.6 else int(0.55 * rows)
    col, lines = 8, 2 if size < 0.5 * rows else 1
    fields = ["HV", "10.00 kV", "mag", "35 000 x", "WD", "4.1 mm", "det", "ETD", "HFW", "5.92 µm"]
    fields += ["SEM", "EHT = 5.00 kV", "Signal A = InLens", "100 nm", "Date: 4 Mar 2024"]
    while col < width - 6 * size:
        widest = 0
        for line in range(lines):
            row = int((line + 0.5) * rows / lines - size / 2.6)
            label = fields[rng.integers(len(fields))]
            widest = max(widest, put_text(band, label, (row, col), size, ink, 400)[1])
        col += widest + int(rng.uniform(0.6, 2) * size)
        if rng.random() < 0.3:
            band[:, min(col - 3, width - 1)] = ink
    if rng.random() < 0.5:
        length = int(rng.uniform(0.08, 0.2) * width)
        band[rows // 2 : rows // 2 + 2, width - length - 6 : width - 6] = ink
    if rng.random() < 0.3:
        band[0] = ink
        band[-1] = ink
    return Painted(
        np.vstack([pixels, band]), np.vstack([np.zeros_like(pixels), band * 0 + 1]) > 0, rows
    )


def paint_scale_bar(pixels: np.ndarray, rng: np.random.Generator) -> Painted:
    """Paint a scale bar with its label above, below or beside, black or white."""
    pixels, truth = pixels.copy(), np.zeros(pixels.shape, np.uint8)
    height, width = pixels.shape
    length, thick = (
        int(rng.uniform(0.1, 0.3) * width),
        max(2, int(rng.uniform(0.008, 0.02) * height)),
    )
    size, weight = int(rng.uniform(0.045, 0.075) * height), int(rng.choice([400, 700]))
    label = f"{rng.choice([1, 2, 5, 10, 20, 50, 100, 200, 500])} {rng.choice(['nm', 'µm'])}"
    _, _, text_width, text_height = text_size(label, size, weight)
    margin = int(rng.uniform(0.03, 0.07) * width)
    row = height - margin - thick
    col = margin if rng.random() < 0.5 else width - margin - max(length, text_width)
    level = contrasting_level(pixels[row - text_height - 6 : row + thick, col : col + length])
    for target, value in ((pixels, level), (truth, 255)):
        target[row : row + thick, col : col + length] = value
        text_col = col + (length - text_width) // 2
        put_text(target, label, (row - text_height - 4, max(2, text_col)), size, value, weight)
    return Painted(pixels, truth > 127)


def paint_letter(pixels: np.ndarray, rng: np.random.Generator) -> Painted:
    """Paint a panel letter in a corner: a, b, A, (a), a), with or without a plate."""
    pixels, truth = pixels.copy(), np.zeros(pixels.shape, np.uint8)
    height, width = pixels.shape
    letter = str(rng.choice(list("abcdefghABCDEFGH")))
    label = [letter, f"({letter})", f"{letter})"][rng.integers(3)]
    size, weight = int(rng.uniform(0.07, 0.13) * height), int(rng.choice([400, 700]))
    _, _, wide, high = text_size(label, size, weight)
    margin = int(rng.uniform(0.015, 0.04) * width)
    row = margin
    col = margin if rng.random() < 0.8 else width - margin - wide
    level = contrasting_level(pixels[row : row + high, col : col + wide])
    if rng.random() < 0.3:
        pad = max(2, size // 6)
        plate = (
            slice(max(0, row - pad), row + high + pad),
            slice(max(0, col - pad), col + wide + pad),
        )
        pixels[plate], truth[plate] = 255, 255
        level = 0
    for target, value in ((pixels, level), (truth, 255)):
        put_text(target, label, (row, col), size, value, weight)
    return Painted(pixels, truth > 127)


def contrasting_level(under: np.ndarray) -> int:
    return 255 if under.size and np.median(under) < 128 else 0


def compress(painted: Painted, rng: np.random.Generator) -> Painted:
    """Send every third picture through JPEG, as figures of articles are."""
    if rng.random() > 1 / 3:
        return painted
    done, data = cv2.imencode(".jpg", painted.pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    return Painted(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), painted.truth, painted.bar_rows)


def found(pixels: np.ndarray) -> np.ndarray:
    return find_overlays(Micrograph("painted", pixels))


def bar_height(mask: np.ndarray) -> int:
    """Rows covered from side to side at the lower edge."""
    full = mask.all(axis=1)[::-1]
    return int(np.argmin(full)) if not full.all() else len(full)


def examine(pixels: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    clean = found(pixels)
    bar = compress(paint_info_bar(pixels, rng), rng)
    scale = compress(paint_scale_bar(pixels, rng), rng)
    letter = compress(paint_letter(pixels, rng), rng)
    seen = found(bar.pixels)
    row: dict[str, float] = {
        "false_area": float(clean.mean()),
        "bar_false": float(bar_height(clean) > 0 or clean[0].all()),
        "bar_found": float(bar_height(seen) > 0),
        "bar_edge_within_2": float(abs(bar_height(seen) - bar.bar_rows) <= 2),
        "bar_exact": float(bar_height(seen) == bar.bar_rows),
    }
    for name, painted in (("scale", scale), ("letter", letter)):
        covered = found(painted.pixels)
        row[f"{name}_found"] = float(covered[painted.truth].mean() >= FOUND_SHARE)
        row[f"{name}_covered"] = float(covered[painted.truth].mean())
    return row


def time_one_megapixel() -> float:
    """Milliseconds at one megapixel, the best of five."""
    pixels = np.random.default_rng(0).normal(128, 25, (1000, 1000)).clip(0, 255).astype(np.uint8)
    pixels = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    micrograph = Micrograph("noise", pixels)
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        find_overlays(micrograph)
        spent.append(time.perf_counter() - start)
    return 1000 * min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=PICTURES)
    parser.add_argument("--pictures", type=int, default=0, help="only the first N, 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="of what is painted")
    parser.add_argument("--misses", action="store_true", help="print what was missed")
    options = parser.parse_args()
    files = sorted(p for p in options.folder.rglob("*") if p.suffix in (".png", ".tif", ".jpg"))
    files = files[:: max(1, len(files) // options.pictures)] if options.pictures else files
    rows = []
    for number, file in enumerate(files):
        row = examine(read_micrograph(file).pixels, np.random.default_rng([options.seed, number]))
        rows.append(row)
        if options.misses:
            missed = [k for k, v in row.items() if k.endswith(("found", "within_2")) and not v]
            if missed or row["false_area"] > 0.005 or row["bar_false"]:
                print(number, file.name, missed, f"{row['false_area']:.4f}", row["bar_false"])
    figures = {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}
    figures["bar_accuracy"] = round((figures["bar_found"] + 1 - figures["bar_false"]) / 2, 4)
    figures["pictures"] = len(rows)
    figures["ms_per_megapixel"] = round(time_one_megapixel(), 1)
    if not options.pictures:
        suffix = f"_seed{options.seed}.json" if options.seed else ".json"
        report = Path(__file__).with_name(Path(__file__).stem + suffix)
        report.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
