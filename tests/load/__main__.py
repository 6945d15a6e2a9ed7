"""`python -m tests.load --visitors 20 --minutes 10`: does the app survive a crowd?

Starts the server with the shipped model and a small one, lets visitors upload, walk through all
pages, change settings, run batches and leave again, and prints what they met. Ends with 1 when
something went wrong or the bar on waiting is missed.
"""

from __future__ import annotations

import argparse
import sys
import warnings

from tests.load.crowd import WARM_P95_S, report, visit


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--think", type=float, default=10.0, help="s between two interactions")
    parser.add_argument("--pictures", type=int, default=24, help="different ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--attack", action="store_true", help="one more visitor attacks")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # of zipfile, for names that occur twice in hostile archives
    outcome = visit(
        given.visitors,
        60 * given.minutes,
        think_s=given.think,
        pictures=given.pictures,
        seed=given.seed,
        attack=given.attack,
    )
    print(report(outcome))
    notes = outcome.notes
    warm = sorted(outcome.seconds_of(warm=True))
    late = bool(warm) and warm[int(0.95 * (len(warm) - 1))] > WARM_P95_S
    hurt = outcome.attacked and (outcome.attacked.troubles or outcome.attacked.losses)
    return int(late or bool(hurt) or bool(notes.troubles or notes.leaks or outcome.log_troubles))


if __name__ == "__main__":
    sys.exit(main())
