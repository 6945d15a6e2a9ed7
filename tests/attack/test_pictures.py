"""A sample of `tests.attack.pictures`: the law holds for 108 pictures that are made to cost."""

import warnings

from tests.attack.pictures import run
from tests.law import summary


def test_hostile_pictures_are_read_or_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in the app
        tallies = run(108, seed=3)
    assert sum(tally.inputs for tally in tallies.values()) == 108
    assert [line for tally in tallies.values() for line in tally.broken] == [], summary(tallies)
