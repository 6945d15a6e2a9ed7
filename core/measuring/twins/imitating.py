"""From a micrograph and a measurement of it to look-alikes, and what is measured in them.

What was measured is a first guess of what is there; a careful reading is another one
(`core.measuring.twins.careful`). Pilot twins of each show what the measurement loses and invents
at each size, and the guess is mended until its twins measure as the original does. How well they
then do is what the guess weighs by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.measuring.twins.careful import read_carefully
from core.measuring.twins.drawing import (
    Measure,
    Original,
    Twin,
    draw_twin,
    study,
    supposed,
    without_invented,
)
from core.measuring.twins.errors import QUANTITIES, measured_quantities
from core.measuring.twins.truth import Labels, as_objects, move_outlines
from core.measuring.twins.unfolding import outlines_to_move, times_drawn
from core.micrograph import Micrograph

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]
FEWEST = 3
_PILOTS, _ROUNDS = 2, 4
_BY = ("fraction", "count", "d50", "d90", "chord")  # twins of a guess are compared by these
_ALIKE = 0.1  # of a quantity: twins that measure so are as good as any
_LEAST_WEIGHT = 0.02
_PRIOR = (1.0, 16.0)  # of what was measured, and of what was read carefully
_CAREFUL_ROUNDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Imitation:
    """Look-alikes of a micrograph, and what one measurement finds in them.

    Attributes
    ----------
    original : Original
        What was measured in it is `original.objects`.
    twins : tuple of Twin
    seen : tuple of ndarray of shape (H, W), int32
        What is measured in each.
    weights : ndarray of shape (twins,), float64
        How much each says, by how alike its guess's twins measure; they sum to 1.
    seed : int
    own : ndarray of shape (7,), float64
        What is measured in the original, as `QUANTITIES`, lengths in px.
    true, found : ndarray of shape (twins, 7), float64
        The same of each twin's truth, and of what is measured in it.
    whole_only : bool
        Whether all these count only objects that no border cuts.
    """

    original: Original
    twins: tuple[Twin, ...]
    seen: tuple[Labels, ...]
    weights: Floats
    seed: int
    own: Floats
    true: Floats
    found: Floats
    whole_only: bool = False

    @property
    def best(self) -> Twin:
        """One that measures like the original."""
        return self.twins[int(np.argmax(self.weights))]


class Steps:
    """Measures, counts what is done, and tells."""

    def __init__(self, total: int, on_progress: Progress | None) -> None:
        self.done, self.total, self.tell = 0, total, on_progress

    def measure(self, measure: Measure, micrograph: Micrograph) -> NDArray[Any]:
        """Return what is measured in a micrograph."""
        answer = measure(micrograph)
        self.done += 1
        if self.tell is not None:
            self.tell(min(self.done, self.total), self.total)
        return answer

    def objects(self, measure: Measure, twins: Sequence[Twin]) -> list[Labels]:
        """Return the objects that are measured in twins."""
        return [as_objects(self.measure(measure, t.micrograph), t.counted) for t in twins]


def imitate(
    micrograph: Micrograph,
    measure: Measure,
    *,
    count: int = 20,
    seed: int = 0,
    exclude: NDArray[np.bool_] | None = None,
    on_progress: Progress | None = None,
    whole_only: bool = False,
) -> Imitation:
    """Return look-alikes of a micrograph and what is measured in them.

    Parameters
    ----------
    micrograph, measure, count, seed, exclude, on_progress, whole_only
        As in `core.measuring.twins.judge`.

    Raises
    ------
    UserError, ValueError
        As there.
    """
    if not FEWEST <= count <= 500 or seed < 0:
        raise ValueError(f"count must be 3 to 500 and seed at least 0, got {count} and {seed}")
    steps = Steps(_PILOTS * _ROUNDS + count + 1, on_progress)
    first = study(micrograph, steps.measure(measure, micrograph), exclude)
    counted, twins, seen = first.counted, [], []
    with _beside() as beside:
        reading = beside.submit(_read_again, first, seed)
        guesses = [_unfold(first, measure, seed, steps), *reading.result()]
        chosen = [guesses[number % len(guesses)] for number in range(count)]
        drawn = [
            beside.submit(draw_twin, guess, seed, number, times)
            for number, (guess, times) in enumerate(chosen)
        ]
        true_ones, found_ones = [], []
        for each in drawn:
            twins.append(each.result())
            seen += steps.objects(measure, twins[-1:])
            true_ones.append(beside.submit(_quantities, twins[-1].labels, counted, whole_only))
            found_ones.append(beside.submit(_quantities, seen[-1], counted, whole_only))
        own = _quantities(first.objects, counted, whole_only)
        true, found = (np.array([e.result() for e in ones]) for ones in (true_ones, found_ones))
    weights = _weights(own, found, len(guesses))
    original, kept, read = guesses[0][0], tuple(twins), tuple(seen)
    return Imitation(original, kept, read, weights, seed, own, true, found, whole_only)


@contextmanager
def _beside() -> Iterator[ThreadPoolExecutor]:
    """Yield a thread for what does not measure: measurements stay in the caller's.

    An error, a person's end of the work among them, waits for nothing.
    """
    thread = ThreadPoolExecutor(1, "twins")
    try:
        yield thread
    finally:
        thread.shutdown(wait=False, cancel_futures=True)


def quantities_of(
    labels: Sequence[Labels], counted: NDArray[np.bool_], whole_only: bool = False
) -> Floats:
    """Return what is measured in label images, shape (images, 7), lengths in px."""
    return np.array([_quantities(each, counted, whole_only) for each in labels])


def _quantities(labels: Labels, counted: NDArray[np.bool_], whole_only: bool) -> Floats:
    return measured_quantities(labels, counted, whole_only=whole_only).to_array()


def _unfold(
    original: Original, measure: Measure, seed: int, steps: Steps
) -> tuple[Original, Floats]:
    """Return the original as it is supposed to be, and how often each object must be drawn.

    After the first round, what noise may have invented is no longer believed; after the second,
    objects are as large as make those in twins measure as large as in the original; after the
    others, as many.
    """
    times: Floats = np.ones(int(original.truth.max()) + 1)
    for turn in range(_ROUNDS):
        pilots = [
            draw_twin(original, seed, 1000 + _PILOTS * turn + each, times)
            for each in range(_PILOTS)
        ]
        seen = steps.objects(measure, pilots)
        pairs = [(twin.labels, found) for twin, found in zip(pilots, seen, strict=True)]
        if turn == 0:
            times = times_drawn(original.truth, original.objects, pairs, times)
            original = without_invented(original, times)
            times = np.ones(int(original.truth.max()) + 1)
        elif turn == 1:
            by = outlines_to_move(original.truth, pairs, original.look.edge_px)
            original = replace(original, truth=move_outlines(original.truth, by))
        else:
            times = times_drawn(original.truth, original.objects, pairs, times)
    return original, times


def _read_again(first: Original, seed: int) -> list[tuple[Original, Floats]]:
    """Return what may be true of a micrograph by a careful reading, if that finds anything.

    It is unfolded like the other guess, but by what the same reading finds in its pilots.
    """
    found = _read(first, first.micrograph)
    if not found.any() or np.count_nonzero(found) >= 0.9 * np.count_nonzero(first.counted):
        return []
    guess = supposed(first.micrograph, first.objects, found, first.counted, are_cut=True)
    times: Floats = np.ones(int(guess.truth.max()) + 1)
    for turn in range(_CAREFUL_ROUNDS):
        pilot = draw_twin(guess, seed, 2000 + turn, times)
        pairs = [(pilot.labels, _read(first, pilot.micrograph))]
        if turn == 0:
            by = outlines_to_move(guess.truth, pairs, guess.look.edge_px)
            guess = replace(guess, truth=move_outlines(guess.truth, by))
        else:
            times = times_drawn(guess.truth, found, pairs, times)
    return [(guess, times)]


def _read(first: Original, micrograph: Micrograph) -> Labels:
    grey = np.where(first.counted, micrograph.pixels, 0).astype(np.float32)
    return read_carefully(grey, first.look, first.counted, _typical(first.objects))


def _typical(objects: Labels) -> float:
    """Return the area such that half of all area belongs to objects that are larger."""
    areas = np.sort(np.bincount(objects.ravel())[1:])
    return float(areas[np.searchsorted(np.cumsum(areas), areas.sum() / 2)])


def _weights(own: Floats, found: Floats, guesses: int) -> Floats:
    """Return how much each twin says: those of a guess by how near they measure to the original."""
    place = [QUANTITIES.index(name) for name in _BY]
    chance = np.sqrt(_ALIKE**2 + 1 / max(own[QUANTITIES.index("count")], 1))
    weights = np.zeros(len(found))
    for guess in range(guesses):
        members = np.arange(len(found)) % guesses == guess
        known = np.isfinite(found[members])
        with np.errstate(all="ignore"):
            mean = np.where(known, found[members], 0).sum(axis=0) / known.sum(axis=0)
            apart = np.log(mean / own)[place] / chance
        apart = np.where(np.isfinite(apart), apart, 3.0)
        weights[members] = _PRIOR[guess] * np.exp(-0.5 * float((apart**2).mean())) / members.sum()
    weights = weights / max(weights.sum(), 1e-300) + _LEAST_WEIGHT / len(found)
    return np.asarray(weights / weights.sum(), np.float64)
