"""Every filter at one megapixel and 16 bits, and how long the Filters page takes to answer.

Run with ``python -m tests.benchmarks.bench_filters``. Slow filters are marked; the page is run
without a browser (AppTest), with a change of the last of four fast steps.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from core.imaging.display.saving import save_tiff_bytes
from core.imaging.filtering.pipeline import FILTERS, Pipeline, Step, run_step
from core.imaging.simulation.samples import simulate
from core.micrograph import Micrograph, PixelSize

HOME = Path(__file__).resolve().parents[2] / "Home.py"
EDGE_PX = 1024
BAR_S = 0.3
CHAIN = (Step("hot_pixels"), Step("median"), Step("subtract_gaussian"), Step("gaussian"))


def sample() -> Micrograph:
    """Return a simulated micrograph of 16 bits with noise in the lower ones."""
    pixels = simulate("spheroids", (EDGE_PX, EDGE_PX), seed=0).micrograph.pixels
    noise = np.random.default_rng(0).integers(0, 200, pixels.shape)
    return Micrograph("a", (pixels.astype(np.uint16) * 200 + noise).astype(np.uint16))


def step_of(name: str, other: Micrograph) -> Step:
    """Return a filter at its defaults; one that needs another micrograph gets it."""
    digests = {p.name: other.sha256 for p in FILTERS[name].parameters if p.kind == "image"}
    return Step(name, {"spots": [[0.1, 0.2]]} if name == "notch" else digests)


def time_filters() -> None:
    """Print the best of three for each filter."""
    micrograph = sample()
    other = Micrograph("other", micrograph.pixels[::-1] // 2 + 1)
    over = []
    for name, spec in FILTERS.items():
        step = step_of(name, other)
        seconds = min(
            run_step(step, micrograph, None, {other.sha256: other}).elapsed_s for _ in range(3)
        )
        if seconds > BAR_S and not spec.is_slow:
            over.append(name)
        print(f"  {name:24s} {seconds * 1e3:8.1f} ms {'slow' if spec.is_slow else ''}")
    print(f"  {len(FILTERS)} filters; fast ones above {BAR_S * 1e3:.0f} ms: {over or 'none'}")


def time_page() -> None:
    """Print how long a rerun takes after a change of the fourth of four steps, and of none."""
    os.environ["MICROGRAPHIA_WARM_UP"] = "0"
    app = AppTest.from_file(str(HOME), default_timeout=60).run()
    data = save_tiff_bytes(Micrograph("a", sample().pixels, PixelSize(2, "nm")))
    app.file_uploader(key=f"home_upload_{app.session_state['home_turn']}").upload("a.tif", data)
    app.run()
    app.switch_page("pages/3_Filters.py").run()
    app.text_area(key="filters_recipe_text").set_value(Pipeline(CHAIN).to_json()).run()
    assert not app.error, app.error[0].value
    number = app.session_state["filters_chain"][-1].number
    changed, unchanged = [], []
    for sigma_px in np.arange(2.0, 5.0, 0.3):
        app.number_input(key=f"filters_{number}_sigma_px").set_value(float(sigma_px))
        changed.append(_timed(app))
        unchanged.append(_timed(app))
    print(f"  page, 4th of 4 steps changed {statistics.median(changed) * 1e3:8.1f} ms")
    print(f"  page, nothing changed        {statistics.median(unchanged) * 1e3:8.1f} ms")


def _timed(app: AppTest) -> float:
    start = time.perf_counter()
    app.run()
    return time.perf_counter() - start


def main() -> None:
    """Print both."""
    print(f"one megapixel, 16 bits, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    time_filters()
    time_page()


if __name__ == "__main__":
    main()
