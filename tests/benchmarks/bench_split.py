"""What a split does to counts: EMPS pictures on clean masks, Otsu's masks and the clusters.

Run with ``python -m tests.benchmarks.bench_split``. Two sets of 24 pictures, each spread over
`train` and `val`; some are among the 24 that depth and filling were chosen on. "F1" compares
parts of perfect masks with the instances that were drawn by hand (IoU above 0.5, all particles
pooled); "off by" adds up over pictures how many regions (from 10 px) there are too many or too
few, of Otsu's bright side and of the two clusters' target as the Cluster page has it by default.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from core.imaging.filtering import otsu_threshold
from core.imaging.overlays import find_overlays
from core.learning.particles_training import compare
from core.measuring.clustering import AUTO, Smoothing, group_pixels
from core.measuring.defaults import SMALLEST_PX, suggest_target
from core.measuring.regions import label_regions
from core.micrograph import Micrograph

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "seg-emps"
PICTURES = 24
WAYS: dict[str, dict[str, float]] = {
    "unsplit": {},
    "every neck": {"split": True, "neck_depth_px": 0, "least_solidity": 0},
    "from 1.5 px deep": {"split": True, "least_solidity": 0},
    "as the product does": {"split": True},
}


def pictures() -> list[Path]:
    """Return two sets of pictures, one after the other."""
    files = sorted(DATA.glob("*/images/*.png"))
    kept = [files[place] for place in np.linspace(0, len(files) - 1, 2 * PICTURES).astype(int)]
    return kept[::2] + kept[1::2]


def masks(file: Path) -> dict[str, np.ndarray]:
    """Return the picture's masks by name: drawn, Otsu's, of the target's cluster."""
    micrograph = Micrograph(file.stem, np.asarray(Image.open(file).convert("L")))
    hidden = find_overlays(micrograph)
    bright = (micrograph.pixels > otsu_threshold(micrograph.pixels, hidden)) & ~hidden
    found = group_pixels(micrograph, 2, exclude=hidden, smoothing=Smoothing(AUTO))
    target = suggest_target(found.labels, 2, found.centers)
    return {"otsu": bright, "clusters": found.labels == target}


def off_by(mask: np.ndarray, particles: int, way: dict[str, float]) -> int:
    """Return by how many regions a count is wrong."""
    return abs(int(label_regions(mask, min_area_px=SMALLEST_PX, **way).max()) - particles)


def measure(files: list[Path]) -> dict[str, tuple[float, np.ndarray]]:
    """Return by way: F1 on clean masks; by picture and kind of mask how far counts are off."""
    sums = {way: np.zeros(3) for way in WAYS}
    off: dict[str, list[list[int]]] = {way: [] for way in WAYS}
    particles = []
    for file in files:
        drawn = np.asarray(Image.open(file.parents[1] / "instances" / file.name)).astype(np.int32)
        particles.append(int(drawn.max()))
        kinds = [drawn > 0, *masks(file).values()]
        for name, way in WAYS.items():
            score = compare(label_regions(drawn > 0, min_area_px=SMALLEST_PX, **way), drawn)
            sums[name] += [score.hit, score.extra, score.missed]
            off[name].append([off_by(mask, particles[-1], way) for mask in kinds])
    true = np.array(particles)[:, None]
    return {
        name: (2 * hit / max(2 * hit + extra + missed, 1), np.stack([off[name], off[name] / true]))
        for name, (hit, extra, missed) in sums.items()
    }


def main() -> None:
    """Print a line per way, and one per way and kind of mask."""
    files = pictures()
    halves = [measure(files[:PICTURES]), measure(files[PICTURES:])]
    print(f"{'':24}{'F1, clean masks':>18}{'Otsu off by':>18}{'clusters off by':>18}")
    for way in WAYS:
        (first, one), (second, other) = (half[way] for half in halves)
        sums = [f"{one[0, :, k].sum():.0f} / {other[0, :, k].sum():.0f}" for k in (1, 2)]
        print(f"{way:24}{f'{first:.3f} / {second:.3f}':>18}{sums[0]:>18}{sums[1]:>18}", flush=True)
    print("\n|found - true| / true, mean and median over all pictures; pictures better and worse")
    unsplit = np.concatenate([half["unsplit"][1] for half in halves], axis=1)
    for number, kind in enumerate(("clean", "Otsu", "clusters")):
        for way in WAYS:
            count, share = np.concatenate([half[way][1] for half in halves], axis=1)[..., number]
            change = np.sign(count - unsplit[0, :, number])
            words = f"{share.mean():10.3f}{np.median(share):10.3f}"
            print(f"{kind:10}{way:24}{words}{(change < 0).sum():6}{(change > 0).sum():6}")


if __name__ == "__main__":
    main()
