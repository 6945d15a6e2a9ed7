"""Turns of batches: few at once, in order, fair, and left as soon as somebody cancels."""

import threading
import time

import pytest

from core.ui.parts.turns import Door, Turns


class Batch(threading.Thread):
    """One that takes its turn and works until it is told to end, giving way where it must."""

    def __init__(self, turns: Turns, visitor: str) -> None:
        super().__init__(daemon=True)
        self.turns, self.visitor = turns, visitor
        self.stop, self.end = threading.Event(), threading.Event()
        self.has_turn = False
        self.was_refused = False
        self.start()

    def run(self) -> None:
        with self.turns.take(self.visitor, self.stop.is_set) as turn:
            self.was_refused = turn is None
            while turn is not None and not self.end.wait(0.005):
                self.has_turn = True
                if turn.must_give_way():
                    self.has_turn = False
                    turn.give_way()
        self.has_turn = False


@pytest.fixture
def begin():
    turns, begun = Turns(2), []

    def begin(visitor: str) -> Batch:
        begun.append(Batch(turns, visitor))
        time.sleep(0.03)
        return begun[-1]

    yield begin
    for batch in begun:
        batch.stop.set()
        batch.end.set()
    for batch in begun:
        batch.join(10)


def holds(condition) -> bool:
    until = time.monotonic() + 5
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def test_two_work_and_the_third_waits_for_its_turn(begin):
    first, second, third = begin("a"), begin("b"), begin("c")
    assert holds(lambda: first.has_turn and second.has_turn)
    assert not third.has_turn
    first.end.set()
    assert holds(lambda: third.has_turn)


def test_a_batch_that_waits_obeys_cancel_and_lets_go(begin):
    begin("a"), begin("b")
    third = begin("c")
    third.stop.set()
    third.join(3)
    assert not third.is_alive()
    assert third.was_refused


def test_nobody_holds_both_turns_while_another_waits(begin):
    first, second = begin("a"), begin("a")
    assert holds(lambda: first.has_turn and second.has_turn)
    other = begin("b")
    assert holds(lambda: other.has_turn and not second.has_turn)
    assert first.has_turn
    other.end.set()
    assert holds(lambda: second.has_turn)  # and goes on where it was


def test_who_has_no_turn_comes_before_who_has_one(begin):
    first, second = begin("a"), begin("b")
    again, new = begin("a"), begin("c")
    second.end.set()
    assert holds(lambda: new.has_turn)
    assert not again.has_turn
    first.end.set()
    assert holds(lambda: again.has_turn)


def test_an_error_inside_gives_the_turn_back():
    turns = Turns(1)
    with pytest.raises(RuntimeError), turns.take("a", lambda: False):
        raise RuntimeError
    with turns.take("b", lambda: True) as turn:
        assert turn is not None


def test_those_without_a_name_are_never_the_same_visitor():
    turns = Turns(2)
    with turns.take(None, lambda: False) as one, turns.take(None, lambda: False) as other:
        assert one.visitor != other.visitor


def test_a_door_is_shut_for_as_long_as_it_was_open(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, waits = [100.0], []

    def sleep(seconds: float) -> None:
        waits.append(round(seconds, 6))
        clock[0] += seconds

    monkeypatch.setattr("core.ui.parts.turns.time.sleep", sleep)
    monkeypatch.setattr("core.ui.parts.turns.time.monotonic", lambda: clock[0])
    door = Door(most_s=1.0)
    for work_s, pause_s in ((0.3, 0.0), (0.1, 0.04), (0.2, 5.0), (7.0, 0.0), (0.0, 0.0)):
        with door.enter():
            clock[0] += work_s
        clock[0] += pause_s
    assert waits == [0.0, 0.3, 0.06, 0.0, 1.0]  # not for longer than it may be shut


def test_one_at_a_time_goes_through_a_door_even_after_a_failure() -> None:
    door, inside, most = Door(), [], []

    def enter(number: int) -> None:
        try:
            with door.enter():
                inside.append(number)
                most.append(len(inside))
                time.sleep(0.01)
                inside.remove(number)
                raise KeyError(number)
        except KeyError:
            pass

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert most == [1] * 5
