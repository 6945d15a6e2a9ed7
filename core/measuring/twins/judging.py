"""How wrong a measurement is on this very picture: the same measurement on look-alikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.measuring.twins.alike import Embed, Likeness, likeness
from core.measuring.twins.drawing import (
    Measure,
    Original,
    Twin,
    draw_twin,
    study,
    without_invented,
)
from core.measuring.twins.errors import (
    QUANTITIES,
    Objects,
    Quantities,
    match_objects,
    measured_quantities,
)
from core.measuring.twins.truth import Labels, as_objects, move_outlines
from core.measuring.twins.unfolding import outlines_to_move, times_drawn
from core.micrograph import Micrograph

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]
FEWEST = 3
_PILOTS, _ROUNDS = 2, 4
_LEAST_REAL = 0.4  # of the measured fraction
_COMPARED = 3  # twins that are held beside the original: statistics of a whole frame vary little
_IS_FRACTION = np.array([name == "fraction" for name in QUANTITIES])
# What look-alikes get wrong though they measure alike, from simulated pictures (not those that the
# statement is tested on): a share of the bias, and of the value whatever the bias.
_OFF, _UNLIKE = 0.5, 0.03
_ADDITIVE = np.array([name in ("fraction", "circularity") for name in QUANTITIES])


@dataclass(frozen=True, slots=True)
class Judgement:
    """How wrong a measurement is, by the same measurement of twins whose truth is known.

    Attributes
    ----------
    measured : Quantities
        In the original.
    bias : Quantities
        Measured minus true, as it is to be expected in the original: in shares of 1 (fraction,
        circularity), objects (count) and `unit` (the others). NaN where the twins are no
        look-alikes, or show nothing to measure.
    spread : Quantities
        Standard deviation of that error from twin to twin, in the same units.
    relative_bias, relative_spread : Quantities
        The same by the true value.
    corrected, low, high : Quantities
        Measured less the bias, and the limits that would hold the true value with 95 % if
        the look-alikes were as the original (see the notes). Offered beside the measured value,
        never instead of it: corrected by simulation.
    objects : Objects
        True objects missed, merged, split; measured ones invented; summed over the twins.
    likeness : Likeness
    refusal : str or None
        Why no error is given, in a sentence.
    count : int
        Twins.
    seed : int
    unit : str
        Of lengths: "px", "nm" or "µm".

    Notes
    -----
    Measured on drawn pictures, the limits held the true share in 100 %, D50 in 86 % and the count
    in 73 % of cases; on real pictures with masks the sign of the error was right in 38 to 62 %
    (tests/benchmarks/bench_twins.txt). What twins cannot see, because the measurement is their only
    witness of the original: objects behind others, objects of which the measurement found none
    alike, charging, a further phase that was taken for ground or for objects throughout, and a
    wrong pixel size.
    """

    measured: Quantities
    bias: Quantities
    spread: Quantities
    relative_bias: Quantities
    relative_spread: Quantities
    corrected: Quantities
    low: Quantities
    high: Quantities
    objects: Objects
    likeness: Likeness
    refusal: str | None
    count: int
    seed: int
    unit: str

    @property
    def error(self) -> Quantities:
        """How far one measurement is off, in shares of the true value.

        Root mean square over the twins; NaN where no error is given.
        """
        bias, spread = self.relative_bias.to_array(), self.relative_spread.to_array()
        return Quantities.of(np.hypot(bias, spread))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per quantity: measured, its error, corrected by simulation, limits.

        Lengths are in `unit`, which a column names; shares (fraction, circularity) are of 1.
        """
        columns = ("measured", "bias", "spread", "relative_bias", "relative_spread")
        values = {name: getattr(self, name).to_array() for name in columns}
        values |= {"corrected_by_simulation": self.corrected.to_array()}
        values |= {"low": self.low.to_array(), "high": self.high.to_array()}
        units = {"fraction": "", "count": "", "circularity": ""}
        first = {"quantity": QUANTITIES, "unit": [units.get(n, self.unit) for n in QUANTITIES]}
        return pd.DataFrame(first | values)


def judge(
    micrograph: Micrograph,
    measure: Measure,
    *,
    count: int = 20,
    seed: int = 0,
    exclude: NDArray[np.bool_] | None = None,
    embed: Embed | None = None,
    on_progress: Progress | None = None,
) -> Judgement:
    """Return how wrong a measurement of this micrograph is, by measuring look-alikes of it.

    A first guess of what is true is what was measured. A few pilot twins show what the measurement
    loses and invents at each size; the guess is mended until its twins measure as the original
    does. Then `count` twins are drawn and measured, and compared with what was drawn.

    Parameters
    ----------
    micrograph : Micrograph
        At most 20 megapixels.
    measure : function of a Micrograph
        Returns labels (H, W): 0 is ground; a mask, or objects by number. The very same steps as on
        the original, with all that is chosen by the picture chosen anew.
    count : int
        Twins, 3 to 500.
    seed : int
        Non-negative; the same arguments give the same numbers.
    exclude : ndarray of shape (H, W), bool, optional
        True where the picture is not specimen; by default what `find_overlays` finds.
    embed : function of a Micrograph, optional
        Features of a network, one more witness of how alike twins are.
    on_progress : function of two ints, optional
        Called with measurements done and to do; what it raises ends the work.

    Returns
    -------
    Judgement
        Bias, spread and limits of fraction, count, sizes and shape; what was missed, merged, split
        or invented.

    Raises
    ------
    UserError
        If nothing was measured, or all of the picture was, or the answer is no label image.
    ValueError
        If `count` or `seed` is out of range.
    """
    answers = judge_settings(
        micrograph,
        {"": measure},
        count=count,
        seed=seed,
        exclude=exclude,
        embed=embed,
        on_progress=on_progress,
    )
    return answers[""]


def judge_settings(
    micrograph: Micrograph,
    measures: Mapping[str, Measure],
    *,
    count: int = 20,
    seed: int = 0,
    exclude: NDArray[np.bool_] | None = None,
    embed: Embed | None = None,
    on_progress: Progress | None = None,
) -> dict[str, Judgement]:
    """Return how wrong each of several ways to measure is, all on the same twins.

    Parameters
    ----------
    measures : mapping of str to functions of a Micrograph
        The first one's answer is the witness of the original from which twins are made.
    micrograph, count, seed, exclude, embed, on_progress
        As in `judge`.

    Raises
    ------
    UserError, ValueError
        As in `judge`.
    """
    if not FEWEST <= count <= 500 or seed < 0:
        raise ValueError(f"count must be 3 to 500 and seed at least 0, got {count} and {seed}")
    steps = _Steps(_PILOTS * _ROUNDS + len(measures) * (count + 1), on_progress)
    first = next(iter(measures.values()))
    original = study(micrograph, steps.measure(first, micrograph), exclude)
    original, times = _unfold(original, first, seed, steps)
    twins = [draw_twin(original, seed, number, times) for number in range(count)]
    answers = {}
    for number, (name, measure) in enumerate(measures.items()):
        own = original.objects
        if number:
            own = as_objects(steps.measure(measure, micrograph), original.counted)
        seen = steps.objects(measure, twins)
        answers[name] = _judgement(original, own, twins, seen, seed, embed)
    base = answers[next(iter(answers))]
    return {name: _refused_with(answer, base) for name, answer in answers.items()}


class _Steps:
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


def _unfold(
    original: Original, measure: Measure, seed: int, steps: _Steps
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


def _judgement(
    original: Original,
    own: Labels,
    twins: list[Twin],
    seen: list[Labels],
    seed: int,
    embed: Embed | None,
) -> Judgement:
    """Return what the errors on twins say about the original."""
    size, counted = original.micrograph.pixel_size, original.counted
    measured = measured_quantities(own, counted, size).to_array()
    true, found = (
        np.array([measured_quantities(each, counted, size).to_array() for each in labels])
        for labels in ([twin.labels for twin in twins], seen)
    )
    errors = np.where(_ADDITIVE, found - true, found / np.where(true != 0, true, np.nan) - 1)
    alike = likeness(
        original.micrograph,
        own,
        counted,
        [(twin.micrograph, each) for twin, each in zip(twins, seen, strict=True)][:_COMPARED],
        embed,
    )
    objects = [match_objects(t.labels, f)[0] for t, f in zip(twins, seen, strict=True)]
    return _stated(measured, errors, _summed(objects), alike, seed, _unit(original))


def _unit(original: Original) -> str:
    size = original.micrograph.pixel_size
    return "px" if size is None else size.length_unit


def _summed(objects: list[Objects]) -> Objects:
    names = ("true", "found", "hit", "missed", "merged", "split", "invented")
    return Objects(*(sum(getattr(each, name) for each in objects) for name in names))


def _stated(
    measured: Floats, errors: Floats, objects: Objects, alike: Likeness, seed: int, unit: str
) -> Judgement:
    """Return bias, spread and corrected values from the errors of twins, shape (twins, 7)."""
    known = np.isfinite(errors).sum(axis=0)
    usable = known >= max(FEWEST, (len(errors) + 1) // 2)
    held = np.where(usable, errors, 0)
    mean, spread = (np.where(usable, each, np.nan) for each in _moments(held))
    unlike = _UNLIKE * np.where(_IS_FRACTION, measured, 1)
    error = np.sqrt(spread**2 * (1 + 1 / np.maximum(known, 1)) + (_OFF * mean) ** 2 + unlike**2)
    reach = error * scipy.special.stdtrit(np.maximum(known - 1, 1), 0.975)
    corrected, high, low = (_less(measured, mean + by) for by in (0 * reach, -reach, reach))
    bias = measured - corrected
    scale = np.where(_ADDITIVE, 1, corrected)
    relative = np.where(corrected != 0, 1 / np.where(_ADDITIVE, corrected, 1), np.nan)
    return Judgement(
        Quantities.of(measured),
        Quantities.of(bias),
        Quantities.of(spread * scale),
        Quantities.of(mean * relative),
        Quantities.of(spread * relative),
        Quantities.of(corrected),
        Quantities.of(np.maximum(low, 0)),
        Quantities.of(high),
        objects,
        alike,
        alike.refusal or _mostly_noise(measured, corrected),
        len(errors),
        seed,
        unit,
    )


def _mostly_noise(measured: Floats, corrected: Floats) -> str | None:
    """Return why no error is given where noise alone would be measured nearly as much."""
    if corrected[0] >= _LEAST_REAL * measured[0]:
        return None
    return (
        "Most of what was measured would be measured in this picture's noise and texture alone. "
        "Average the greys, or choose another way to measure."
    )


def _moments(errors: Floats) -> tuple[Floats, Floats]:
    finite = np.isfinite(errors)
    count = np.maximum(finite.sum(axis=0), 2)
    held = np.where(finite, errors, 0)
    mean = held.sum(axis=0) / count
    spread = np.sqrt(np.where(finite, (errors - mean) ** 2, 0).sum(axis=0) / (count - 1))
    return mean, spread


def _less(measured: Floats, error: Floats) -> Floats:
    """Return measured values without an error, which is relative but for shares."""
    return np.where(_ADDITIVE, measured - error, measured / np.maximum(1 + error, 0.05))


def _refused_with(answer: Judgement, base: Judgement) -> Judgement:
    """Return a judgement without errors where the twins are no look-alikes."""
    if base.refusal is None:
        return replace(answer, refusal=None)
    none = Quantities.of(np.full(len(QUANTITIES), np.nan))
    return replace(
        answer,
        refusal=base.refusal,
        bias=none,
        spread=none,
        relative_bias=none,
        relative_spread=none,
        corrected=none,
        low=none,
        high=none,
    )
