"""How well `read_scale` reads the scales that pictures state.

Run as `python -m tests.benchmarks.bench_scale [FOLDER] [--every N]`.

The truth stands in bench_scale.csv: every frame of the folder's train and val part in which
lettering or a bar was found (168). `value` and `unit` are what a person read in the frame; empty
where it states no scale. `bar_px` is the bar's length where lines drawn at the ends that the
program found were seen, enlarged, to touch them; empty where they did not or nobody looked.
Written beside this script: bench_scale.txt.
"""

import argparse
import csv
import resource
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.imaging.reading import read_micrograph
from core.imaging.scale import ScaleReading, read_scale
from core.micrograph import PixelSize

PICTURES = Path(__file__).resolve().parents[3] / "shared" / "data" / "em-morph5-full"
TRUTH = Path(__file__).with_suffix(".csv")
TOLERANCE = 0.03


def judge_value(row: dict[str, str], reading: ScaleReading | None) -> str:
    if reading is None:
        return "nothing" if row["value"] else "rightly none"
    if not row["value"]:
        return "invented"
    wanted = PixelSize(float(row["value"]), row["unit"]).to("nm")
    right = abs(PixelSize(reading.value, reading.unit).to("nm") / wanted - 1) < 1e-6
    return "right" if right else "wrong"


def judge_bar(row: dict[str, str], reading: ScaleReading | None) -> str:
    if reading is None or reading.pixel_size is None:
        return "no pixel size"
    if not row["value"] or not row["bar_px"]:
        return "not judged"
    wanted = PixelSize(float(row["value"]) / float(row["bar_px"]), row["unit"]).to("nm")
    right = abs(reading.pixel_size.to("nm") / wanted - 1) <= TOLERANCE
    return "right" if right else "wrong"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=PICTURES)
    parser.add_argument("--every", type=int, default=1, help="only every n-th frame")
    options = parser.parse_args()
    with TRUTH.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))[:: options.every]
    values, bars, spent, lines = Counter(), Counter(), [], []
    worked = []  # seconds of both processors, whatever else the machine does
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for row in rows:
        micrograph = read_micrograph(options.folder / row["file"])
        start, work = time.perf_counter(), time.process_time()
        reading = read_scale(micrograph)
        spent.append(time.perf_counter() - start)
        worked.append(time.process_time() - work)
        value, bar = judge_value(row, reading), judge_bar(row, reading)
        sure = reading is not None and reading.is_sure
        values[value, "sure" if sure else "asks"] += 1
        bars[bar, "sure" if sure else "asks"] += 1
        if value in ("wrong", "invented", "nothing") or (sure and bar != "right"):
            said = reading.text if reading else "nothing"
            lines.append(f"  {row['file']}: {row['value']} {row['unit']}, read {said} ({bar})")
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    report = describe(values, bars, sorted(spent), sorted(worked), peak, lines)
    print(report)
    if options.every == 1:
        Path(__file__).with_suffix(".txt").write_text(report + "\n", encoding="utf-8")


def describe(
    values: Counter,
    bars: Counter,
    spent: list[float],
    worked: list[float],
    peak: float,
    lines: list[str],
) -> str:
    stated = sum(n for (kind, _), n in values.items() if kind in ("right", "wrong", "nothing"))
    right = values["right", "sure"] + values["right", "asks"]
    sure = sum(n for (kind, who), n in values.items() if who == "sure")
    false = bars["wrong", "sure"] + values["wrong", "sure"] + values["invented", "sure"]
    table = [f"  {kind:14}{who:6}{n:4}" for (kind, who), n in sorted(values.items())]
    ends = [f"  {kind:14}{who:6}{n:4}" for (kind, who), n in sorted(bars.items())]
    return "\n".join(
        [
            f"frames {sum(values.values())}, of which {stated} state a scale",
            f"value right {right} ({100 * right / stated:.1f} %)",
            f"invented {values['invented', 'asks'] + values['invented', 'sure']}",
            f"filled in by itself {sure} ({100 * sure / stated:.1f} %), of these wrong {false}",
            f"seconds a frame: median {spent[len(spent) // 2]:.2f}, longest {spent[-1]:.2f}",
            f"processor seconds a frame: median {worked[len(worked) // 2]:.2f}, "
            f"longest {worked[-1]:.2f}",
            f"memory above the start: {peak:.0f} MB",
            "value:",
            *table,
            f"pixel size (within {TOLERANCE:.0%}):",
            *ends,
            "not right:",
            *lines,
        ]
    )


if __name__ == "__main__":
    main()
