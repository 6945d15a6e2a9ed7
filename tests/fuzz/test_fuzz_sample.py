"""A sample of `tests.fuzz.fuzz_reading`: the law holds for 500 spoilt files."""

import warnings

from tests.fuzz.fuzz_reading import run, summary


def test_spoilt_files_are_read_or_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in the app
        tallies = run(500, seed=7)
    assert sum(tally.inputs for tally in tallies.values()) == 500
    broken = [line for tally in tallies.values() for line in tally.broken]
    assert broken == [], summary(tallies)
