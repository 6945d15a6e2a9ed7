"""A finished report to look at before there is anything of one's own: made of simulated samples.

The report lies beside this module, packed, so that it opens at once and costs a host nothing.
`python -m core.reporting.report.sample` makes it anew; a test says when the model has changed
since.
"""

from __future__ import annotations

import base64
import gzip
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from core.imaging.simulation import simulate
from core.micrograph import Micrograph

FILE = Path(__file__).with_name("sample.html.gz")
NOTE = (
    "A sample report. Every micrograph in it was simulated: it shows what a report looks like, "
    "and says nothing about how well the network does on real micrographs."
)
_KINDS = ("alloys", "polyhedra", "spheroids")
_PER_KIND = 4  # of two or three fields the intervals are too wide to show anything
_SHAPE = (768, 1024)
_DAY = "2026-11-28"  # when its look last changed
_WIDEST_PX, _QUALITY = 340, 66  # as wide as a plate stands on a large screen: all in one megabyte
_JPEG = re.compile(r"(?<=data:image/jpeg;base64,)[A-Za-z0-9+/=]+")


def read_sample_report() -> str:
    """Return the sample report as HTML."""
    return gzip.decompress(FILE.read_bytes()).decode()


def make_sample_report() -> str:
    """Run the default recipe over simulated micrographs of three kinds; return the report."""
    # Here, since every page offers the finished report and none makes it.
    from core.reporting.batch import run_batch
    from core.reporting.recipe import Recipe
    from core.reporting.report.about import About
    from core.reporting.report.writing import report_html

    micrographs = [_sample(kind, seed) for seed in range(_PER_KIND) for kind in _KINDS]
    with tempfile.TemporaryDirectory() as folder:
        result = run_batch(micrographs, Recipe(sample_from="name:start"), folder)
        html = report_html(result, note=NOTE, about=About("A sample report", date=_DAY))
    return _JPEG.sub(lambda found: _smaller(found.group()), html)


def _smaller(picture: str) -> str:
    """Return a picture in base64 no wider than a plate; simulated noise packs badly."""
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(picture), np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.shape[1] <= _WIDEST_PX:
        return picture
    size = (_WIDEST_PX, round(pixels.shape[0] * _WIDEST_PX / pixels.shape[1]))
    fitted = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _, packed = cv2.imencode(".jpg", fitted, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return base64.b64encode(packed.tobytes()).decode()


def _sample(kind: str, seed: int) -> Micrograph:
    micrograph = simulate(kind, shape=_SHAPE, seed=seed).micrograph
    return replace(micrograph, name=f"simulated {kind.replace('_', ' & ')} {seed + 1}")


if __name__ == "__main__":
    FILE.write_bytes(gzip.compress(make_sample_report().encode(), 9, mtime=0))
