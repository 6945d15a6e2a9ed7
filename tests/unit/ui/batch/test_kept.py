"""What is kept under a key: for an hour, few, bounded, and not to be guessed."""

import gc
import weakref

import pytest

from core.ui.batch.kept import HOUR_S, Kept


class Thing:
    pass


def test_it_is_found_for_an_hour_and_then_gone():
    now = [0.0]
    kept, thing = Kept(clock=lambda: now[0]), Thing()
    key = kept.keep(thing)
    now[0] = HOUR_S - 1
    assert kept.find(key) is thing
    now[0] = HOUR_S
    assert kept.find(key) is None
    alive = weakref.ref(thing)
    del thing
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("key", ["", "x", "../../etc", "a" * 22, "é" * 22, "a" * 10**6, None, 5])
def test_an_unknown_key_finds_nothing(key):
    kept = Kept()
    kept.keep(Thing())
    assert kept.find(key) is None


def test_number_and_bytes_are_bounded_and_the_oldest_goes_first():
    kept = Kept(most=3, most_bytes=100)
    keys = [kept.keep(number, 10) for number in range(5)]
    assert [kept.find(key) for key in keys] == [None, None, 2, 3, 4]
    large = kept.keep("large", 85)
    assert [kept.find(key) for key in (*keys[2:], large)] == [None, None, 4, "large"]
    assert kept.find(kept.keep("too large", 101)) is None


def test_keys_are_long_and_never_the_same():
    kept = Kept(most=2000)
    keys = {kept.keep(number) for number in range(1000)}
    assert len(keys) == 1000
    assert {len(key) for key in keys} == {22}  # 128 bits


def test_what_is_dropped_is_found_under_none_of_its_keys() -> None:
    kept: Kept[str] = Kept()
    keys = kept.keep("a"), kept.keep("a"), kept.keep("b")
    kept.drop("a")
    assert [kept.find(key) for key in keys] == [None, None, "b"]


def test_many_batches_of_one_visitor_cost_no_other_a_result():
    kept = Kept(most=5, most_bytes=1000)
    theirs = kept.keep("theirs", 100, "a")
    own = [kept.keep(number, 10, "b") for number in range(50)]
    assert kept.find(theirs) == "theirs"
    assert [kept.find(key) for key in own[-4:]] == [46, 47, 48, 49]
    large = [kept.keep(number, 300, "b") for number in range(8)]
    assert kept.find(theirs) == "theirs"
    assert kept.find(large[-1]) == 7
