"""How long a batch takes and what it holds in memory, in one run on this machine.

    python -m tests.benchmarks.bench_batch           all of it, about ten minutes
    python -m tests.benchmarks.bench_batch speed     200 pictures of 1024 x 1024, stages, others
    python -m tests.benchmarks.bench_batch memory    peak memory at 50, 200 and 2,000 pictures

Pictures are simulated: 25 different ones, told apart by one pixel, so that none is a copy. The
work one at a time is what a person would write with other programs: torchcam's Grad-CAM on the
same network, scikit-learn's k-means on the grey levels, scikit-image's region properties, the heat
map over the picture and the mask as PNG by matplotlib's colour map and Pillow.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.imaging.simulation.samples import KINDS, simulate  # noqa: E402

SIDE, MANY, FEW = 1024, 200, 12
DIFFERENT = 25


def write_pictures(folder: Path, count: int, side: int) -> None:
    """Write pictures that differ in their first pixel and in the field they show."""
    kinds = list(KINDS)
    fields = [
        simulate(kinds[n % len(kinds)], shape=(side, side), seed=n).micrograph.pixels
        for n in range(min(DIFFERENT, count))
    ]
    for number in range(count):
        picture = fields[number % len(fields)].copy()
        picture[0, :2] = number % 256, number // 256
        cv2.imwrite(
            str(folder / f"field {number:04d}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1]
        )


def run_once(folder: Path, out: Path) -> dict[str, float]:
    """Run the default recipe over a folder; return seconds, pictures per second and peak memory."""
    from core.reporting.batch.run import run_batch
    from core.reporting.recipe import Recipe
    from core.reporting.report.writing import write_report

    began = time.perf_counter()
    result = run_batch([folder], Recipe(), out)
    middle = time.perf_counter()
    report = write_report(result, out)
    ended = time.perf_counter()
    assert not len(result.failed)
    return {
        "pictures": len(result.rows),
        "batch_s": round(middle - began, 2),
        "report_s": round(ended - middle, 2),
        "per_s": round(len(result.rows) / (ended - began), 2),
        "report_mb": round(report.stat().st_size / 1e6, 2),
        "peak_mb": round(peak_mb(), 1),
    }


def peak_mb() -> float:
    """Return this process's peak memory (Linux); `ru_maxrss` would begin with its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def in_new_process(count: int, side: int) -> dict[str, float]:
    """Run a batch in a process of its own, so that peak memory is its own."""
    work = Path(tempfile.mkdtemp())
    try:
        (work / "in").mkdir()
        write_pictures(work / "in", count, side)
        code = (
            "import json, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); "
            "sys.path.insert(0, sys.argv[1] + '/tests/benchmarks'); import bench_batch as b; "
            "work = Path(sys.argv[2]); print(json.dumps(b.run_once(work / 'in', work / 'out')))"
        )
        command = [sys.executable, "-c", code, str(ROOT), str(work)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])
    finally:
        shutil.rmtree(work, ignore_errors=True)


def parts() -> dict[str, float]:
    """Return seconds per picture of each stage, of the bare network and of others."""
    work = Path(tempfile.mkdtemp())
    try:
        write_pictures(work, FEW, SIDE)
        paths = sorted(work.glob("*.png"))
        return {**stages(paths), **others(paths)}
    finally:
        shutil.rmtree(work, ignore_errors=True)


def stages(paths: list[Path]) -> dict[str, float]:
    """Return seconds per picture for each step of ours, one after the other."""
    import torch

    from core.imaging.display.encoding import png_bytes
    from core.learning.models import load_model
    from core.measuring.clustering import cluster_gray
    from core.reporting.batch import pipeline
    from core.reporting.batch.analysis import analyse, tabulate_regions
    from core.reporting.batch.sources import Source
    from core.reporting.recipe import Recipe

    recipe, network = Recipe("em-morph5"), load_model("em-morph5")
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[[], object]) -> object:
        began = time.perf_counter()
        done = work()
        spent[name] = (time.perf_counter() - began) / len(paths)
        return done

    timed(
        "warm up",
        lambda: pipeline.answer([pipeline.read(Source("", paths[0]), recipe)], recipe, network),
    )
    micrographs = timed("read", lambda: [Source(p.name, p).read() for p in paths])
    readings = timed(
        "read + find overlays", lambda: [pipeline.read(Source(p.name, p), recipe) for p in paths]
    )
    inputs = timed(
        "prepare", lambda: torch.cat([network.prepare(r.micrograph, r.exclude) for r in readings])
    )

    def bare() -> None:
        with torch.inference_mode():
            network.head(network.features(inputs))

    timed("bare network, one batch", bare)
    answers = timed(
        "prepare + classify + explain", lambda: pipeline.answer(readings, recipe, network)
    )
    found = timed("cluster", lambda: [cluster_gray(m, 3) for m in micrographs])
    timed(
        "regions",
        lambda: [
            tabulate_regions(c.labels == 2, m, Recipe())
            for c, m in zip(found, micrographs, strict=True)
        ],
    )
    timed(
        "mask as PNG", lambda: [png_bytes(((c.labels == 2) * 255).astype(np.uint8)) for c in found]
    )
    timed(
        "cluster + regions + all pictures",
        lambda: [
            analyse(r.micrograph, r.exclude, *a, recipe)
            for r, a in zip(readings, answers, strict=True)
        ],
    )
    spent.pop("warm up")
    return {name: round(value, 4) for name, value in spent.items()}


def others(paths: list[Path]) -> dict[str, float]:
    """Return seconds per picture of the same work by other programs, one picture at a time."""
    import torch
    from matplotlib import colormaps
    from PIL import Image
    from skimage import io, measure
    from sklearn.cluster import KMeans
    from torchcam.methods import GradCAM

    from core.learning.models import load_model
    from core.micrograph import Micrograph

    classifier = load_model("em-morph5")
    network = classifier.network.requires_grad_(True)
    names = (
        *("read", "network + Grad-CAM", "k-means, one start", "k-means, ten starts", "regions"),
        "pictures",
    )
    spent = dict.fromkeys((f"others: {name}" for name in names), 0.0)
    paths = paths[:3]
    for path in paths:
        marks = [time.perf_counter()]
        picture = io.imread(path)
        marks.append(time.perf_counter())
        inputs = classifier.prepare(Micrograph("", picture)).requires_grad_(True)
        with GradCAM(network, target_layer="stages", input_shape=(1, 256, 256)) as extractor:
            scores = network(inputs)
            heat = extractor(int(scores.argmax()), scores)[0]
            heat = torch.nn.functional.interpolate(heat[None], picture.shape, mode="bilinear")
        marks.append(time.perf_counter())
        grey = picture.reshape(-1, 1).astype(float)
        means = KMeans(3, random_state=0).fit(grey)
        labels = means.labels_.reshape(picture.shape)
        marks.append(time.perf_counter())
        KMeans(3, n_init=10, random_state=0).fit(grey)
        marks.append(time.perf_counter())
        target = labels == int(means.cluster_centers_.argmax())
        measure.regionprops_table(
            measure.label(target, connectivity=2),
            picture,
            properties=(
                *("area", "equivalent_diameter_area", "perimeter", "feret_diameter_max"),
                *("eccentricity", "solidity", "orientation", "mean_intensity", "centroid"),
            ),
        )
        marks.append(time.perf_counter())
        colours = colormaps["inferno"](heat[0, 0].numpy())[..., :3]
        blend = (0.5 * colours * 255 + 0.5 * picture[..., None]).astype(np.uint8)
        Image.fromarray(blend).save(path.with_suffix(".overlay.png"))
        Image.fromarray((target * 255).astype(np.uint8)).save(path.with_suffix(".mask.png"))
        marks.append(time.perf_counter())
        for name, seconds in zip(spent, np.diff(marks), strict=True):
            spent[name] += seconds / len(paths)
    everything = sum(spent.values())
    spent["others: all with one start"] = everything - spent["others: k-means, ten starts"]
    spent["others: all with ten starts"] = everything - spent["others: k-means, one start"]
    return {name: round(value, 4) for name, value in spent.items()}


def speed() -> None:
    """Print the time of a large batch, of its stages, and of others one picture at a time."""
    whole = in_new_process(MANY, SIDE)
    each = whole["batch_s"] / whole["pictures"]
    print(
        f"{MANY} pictures of {SIDE} x {SIDE}, classes, Grad-CAM, clusters, regions, pictures: "
        f"{whole['batch_s']:.1f} s, {1 / each:.2f} per s; the report {whole['report_s']:.1f} s, "
        f"{whole['report_mb']:.1f} MB; peak memory {whole['peak_mb']:.0f} MB"
    )
    found = parts()
    print(f"seconds per picture, one after the other ({FEW} pictures; others 3)")
    for name, seconds in found.items():
        print(f"  {name:34s} {seconds:7.4f}")
    bare = found["bare network, one batch"]
    print(f"the batch is {bare / each:.2f} x as fast as the bare network alone")
    for starts in ("one start", "ten starts"):
        other = found[f"others: all with {starts}"]
        print(f"others one at a time, k-means of {starts}: {other / each:.1f} x as long")


def memory(side: int, counts: list[int]) -> None:
    """Print peak memory by number of pictures."""
    for count in counts:
        found = in_new_process(count, side)
        print(
            f"{count:5d} pictures of {side} x {side}: peak {found['peak_mb']:.0f} MB, "
            f"{found['batch_s']:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    if what in ("all", "speed"):
        speed()
    if what in ("all", "memory"):
        side = int(sys.argv[2]) if len(sys.argv) > 2 else 64
        memory(side, [int(text) for text in sys.argv[3:]] or [50, 200, 2000])
