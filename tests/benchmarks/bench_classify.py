"""Images a second through classification from files on disk, against the bare network.

    python tests/benchmarks/bench_classify.py

The same run and batch size for both, in alternating rounds. "Bare" is the network's forward pass
under inference_mode on prepared inputs that lie in memory; "from files" reads, prepares, answers
with calibration, prediction set and novelty. It runs a pass per thread instead of one pass on all
threads; "bare, a worker per thread" is the network alone in that way. Overlays are not looked for
in the first lines, since the bare network does not either; the last line is with overlays found.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.imaging.reading.opening import read_micrograph  # noqa: E402
from core.imaging.simulation.samples import KINDS, simulate  # noqa: E402
from core.learning.classifying import classify, streaming  # noqa: E402
from core.learning.classifying.classification import BATCH  # noqa: E402
from core.learning.classifying.streaming import classify_files  # noqa: E402
from core.learning.models import Classifier, load_model  # noqa: E402

FILES = 64
ROUNDS = 3
BAR = 0.85
SETS = {
    "PNG, 8 bit, 512 x 680 px": ((512, 680), ".png", np.uint8),
    "PNG, 8 bit, 768 x 1024 px": ((768, 1024), ".png", np.uint8),
    "TIFF, 16 bit, 1024 x 1024 px": ((1024, 1024), ".tif", np.uint16),
}


def write_files(folder: Path, shape: tuple[int, int], suffix: str, dtype: type) -> list[Path]:
    """Return the paths of frames of all kinds, eight different ones written again and again."""
    frames = [simulate(kind, shape, seed).micrograph.pixels for kind in KINDS for seed in (0, 1)]
    paths = []
    for number in range(FILES):
        pixels = frames[number % len(frames)].astype(dtype)
        paths.append(folder / f"{number:03}{suffix}")
        cv2.imwrite(str(paths[-1]), pixels * 257 if dtype == np.uint16 else pixels)
    return paths


def alternate(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds of each work; the works take turns."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            spent[name].append(time.perf_counter() - began)
    return {name: float(np.median(values)) for name, values in spent.items()}


def run_bare(classifier: Classifier, inputs: list[torch.Tensor]) -> None:
    with torch.inference_mode():
        for batch in inputs:
            classifier.head(classifier.features(batch)).cpu()


def run_bare_in_workers(classifier: Classifier, inputs: list[torch.Tensor]) -> None:
    """The same passes as `classify_files` runs them: on one thread each, two at once."""
    with streaming.pool_of_workers(2, one_thread_each=True) as pool:
        list(pool.map(lambda batch: run_bare(classifier, [batch]), inputs))


def measure(classifier: Classifier, paths: list[Path]) -> dict[str, float]:
    """Return images a second."""
    inputs = [classifier.prepare(read_micrograph(path)) for path in paths]
    inputs = [torch.cat(inputs[start : start + BATCH]) for start in range(0, FILES, BATCH)]
    works: dict[str, Callable[[], object]] = {
        "bare network": lambda: run_bare(classifier, inputs),
        "bare, a worker per thread": lambda: run_bare_in_workers(classifier, inputs),
        "from files": lambda: list(classify_files(classifier, paths, exclude_overlays=False)),
    }
    works["from files"]()
    speeds = {name: FILES / seconds for name, seconds in alternate(works).items()}
    began = time.perf_counter()
    some = list(classify_files(classifier, paths[:BATCH]))
    return speeds | {"from files, overlays found": len(some) / (time.perf_counter() - began)}


def time_one_frame(name: str, threads: int, rounds: int = 25) -> str:
    """Return milliseconds of `classify` on one frame of 768 x 1024 px: network, novelty, signs."""
    torch.set_num_threads(threads)
    classifier, frame = load_model(name), simulate("rods_fibres", (768, 1024), 1).micrograph
    wall, own = [], []
    for _ in range(rounds):
        classifier._recent._kept.clear()  # the map that a second question would find
        began, spent = time.perf_counter(), time.process_time()
        classify(classifier, [frame])
        wall.append(1000 * (time.perf_counter() - began))
        own.append(1000 * (time.process_time() - spent))
    return (
        f"{name}, one frame, {threads} thread{'s' * (threads > 1)}: {np.median(wall):.0f} ms "
        f"(fastest {min(wall):.0f}), {np.median(own):.0f} ms of the processor "
        f"(fastest {min(own):.0f})"
    )


def main() -> None:
    for name in ("em-morph5", "em-morph5-2"):
        for threads in (1, 2):
            print(time_one_frame(name, threads), flush=True)
    torch.set_num_threads(2)
    classifier = load_model("em-morph5")
    where = torch.cuda.get_device_name() if classifier.device == "cuda" else "2 CPU threads"
    print(f"em-morph5 on {where}, batches of {BATCH}, {FILES} files, median of {ROUNDS} rounds")
    for title, (shape, suffix, dtype) in SETS.items():
        with tempfile.TemporaryDirectory() as folder:
            speeds = measure(classifier, write_files(Path(folder), shape, suffix, dtype))
        print(f"\n{title}")
        for name, speed in speeds.items():
            print(f"  {name:28} {speed:7.1f} images/s")
        share = speeds["from files"] / speeds["bare network"]
        print(f"  from files / bare            {100 * share:7.1f} % (bar {100 * BAR:.0f} %)")


if __name__ == "__main__":
    main()
