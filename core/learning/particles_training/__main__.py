"""Train a particle model: ``python -m core.learning.particles_training SET… --out models/mine``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.errors import UserError
from core.learning.particles_training.run import train_particles
from core.learning.training import starting

_EVERY = 50  # steps between two lines


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="core.learning.particles_training", description=__doc__)
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        help="folders with “images” and “instances” (16-bit numbers, 0 is ground)",
    )
    parser.add_argument("--held-out", nargs="*", type=Path, default=[], help="only for the scores")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--minutes", type=float, default=60.0, help="of learning (default: 60)")
    parser.add_argument("--simulated", type=int, default=3000, help="frames (default: 3000)")
    parser.add_argument("--work", type=Path, help="folder from which an unfinished one goes on")
    parser.add_argument("--start-from", default="efficientnet-lite0", metavar="FILE|NAME")
    return parser.parse_args()


def _say(step: int, gone: float, loss: float) -> None:
    if step % _EVERY == 0:
        print(f"step {step}, {gone:.0%}, loss {loss:.3f}", file=sys.stderr, flush=True)


def main() -> int:
    """Train, write the folder and print its scores."""
    options = _options()
    try:
        start = starting.read_start(Path(options.start_from), options.start_from)
        card = train_particles(
            options.folders,
            options.held_out,
            options.out,
            start=start,
            minutes=options.minutes,
            simulated=options.simulated,
            work=options.work,
            on_step=_say,
        )
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(card.to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
