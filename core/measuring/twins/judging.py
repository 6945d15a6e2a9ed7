"""How wrong a measurement is on this very picture: the same measurement on look-alikes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.measuring.twins.alike import Embed, Likeness, likeness
from core.measuring.twins.drawing import Measure, Original
from core.measuring.twins.errors import (
    IS_SHARE,
    QUANTITIES,
    Objects,
    Quantities,
    match_objects,
    measured_quantities,
)
from core.measuring.twins.expecting import deviation, gather
from core.measuring.twins.imitating import (
    FEWEST,
    Imitation,
    Progress,
    Steps,
    imitate,
    quantities_of,
)
from core.measuring.twins.outlining import drawn_by_hand
from core.measuring.twins.truth import Labels, as_objects
from core.micrograph import Micrograph

Floats = NDArray[np.float64]
_LEAST_REAL = 0.4  # of the measured fraction
_COMPARED = 3  # twins that are held beside the original: statistics of a whole frame vary little
_SAYS_MUCH = 0.02  # weight of twins whose objects are counted
_ADDITIVE = np.array([IS_SHARE[name] for name in QUANTITIES])


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
        look-alikes, or show nothing to measure; of all but the fraction where only what is
        measured in them is unlike, and their fraction is alike.
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
    pixel : float
        Edge of a pixel in `unit`.

    Notes
    -----
    Limits are learned from pictures whose truth is known (`core.measuring.twins.expecting`) and
    tried on others (tests/benchmarks/bench_twins.txt). On 60 drawn ones they held in 95 to 98 %,
    by quantity. Of 50 real ones in which what people had marked was measured 11 were refused; on
    the others the limits of a drawn mask (`by_hand`) held the share in 31 of 39, the count in 26 of
    31, D50 in 26 of 30; those of the edge held the share in 21. On 13 in which something else was
    measured than was marked 10 were judged all the same, and the share lay elsewhere.
    Where no side is named, `corrected` was as often farther from the truth as nearer. What twins
    cannot see, because the measurement and a reading of the same greys are their only witnesses:
    what a person takes for an object, objects behind others, objects of which neither found any
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
    pixel: float

    @property
    def by_hand(self) -> tuple[Quantities, Quantities, Quantities]:
        """What a mask drawn by a person is expected to give, and its 95 % limits.

        People's outlines run outside of the edge (`core.measuring.twins.outlining`); which objects
        they would have drawn is not known.
        """
        chords = (self.corrected.chord, self.measured.chord)  # the true one may not be known
        chord = next((each for each in chords if np.isfinite(each)), np.nan)
        return drawn_by_hand(self.corrected, self.low, self.high, self.pixel, chord)

    @property
    def error(self) -> Quantities:
        """How far one measurement is off, in shares of the true value.

        Root mean square over the twins; NaN where no error is given.
        """
        bias, spread = self.relative_bias.to_array(), self.relative_spread.to_array()
        return Quantities.of(np.hypot(bias, spread))

    @property
    def error_limits(self) -> tuple[Quantities, Quantities, Quantities]:
        """Measured against true, and its 95 % limits, from `corrected`, `high` and `low`.

        Differences of shares (fraction, circularity); of the others shares of the true value.
        """
        measured, true = self.measured.to_array(), (self.corrected, self.high, self.low)
        return tuple(_against(measured, each.to_array()) for each in true)  # type: ignore[return-value]

    @property
    def relative_limits(self) -> tuple[Quantities, Quantities, Quantities]:
        """The same for all quantities in shares of the true value."""
        measured, true = self.measured.to_array(), (self.corrected, self.high, self.low)
        with np.errstate(all="ignore"):
            return tuple(Quantities.of(measured / e.to_array() - 1) for e in true)  # type: ignore[return-value]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per quantity: measured, its error, corrected by simulation, limits.

        Lengths are in `unit`, which a column names; shares (fraction, circularity) are of 1. The
        last columns say what a mask drawn by a person would give (`by_hand`).
        """
        columns = ("measured", "bias", "spread", "relative_bias", "relative_spread")
        values = {name: getattr(self, name).to_array() for name in columns}
        values |= {"corrected_by_simulation": self.corrected.to_array()}
        values |= {"low": self.low.to_array(), "high": self.high.to_array()}
        names = ("error", "error_low", "error_high")
        values |= {n: v.to_array() for n, v in zip(names, self.error_limits, strict=True)}
        names = ("drawn_by_hand", "drawn_by_hand_low", "drawn_by_hand_high")
        values |= {n: v.to_array() for n, v in zip(names, self.by_hand, strict=True)}
        units = {"fraction": "", "count": "", "circularity": ""}
        first = {"quantity": QUANTITIES, "unit": [units.get(n, self.unit) for n in QUANTITIES]}
        return pd.DataFrame(first | values)


def _against(measured: Floats, true: Floats) -> Quantities:
    ratio = measured / np.maximum(true, 1e-9) - 1
    return Quantities.of(np.where(_ADDITIVE, measured - true, ratio))


def judge(
    micrograph: Micrograph,
    measure: Measure,
    *,
    count: int = 20,
    seed: int = 0,
    exclude: NDArray[np.bool_] | None = None,
    embed: Embed | None = None,
    on_progress: Progress | None = None,
    whole_only: bool = False,
) -> Judgement:
    """Return how wrong a measurement of this micrograph is, by measuring look-alikes of it.

    Two guesses of what is true are what was measured and what a careful reading finds. A few pilot
    twins show what the measurement loses and invents at each size; each guess is mended until its
    twins measure as the original does. Then `count` twins are drawn by both and measured, and
    compared with what was drawn; those that measure more like the original say more.

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
    whole_only : bool
        Objects that a border cuts are left out: the count is of the others. They are imitated and
        measured all the same, since they are in the picture.

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
        whole_only=whole_only,
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
    known: Imitation | None = None,
    whole_only: bool = False,
) -> dict[str, Judgement]:
    """Return how wrong each of several ways to measure is, all on the same twins.

    Parameters
    ----------
    measures : mapping of str to functions of a Micrograph
        Twins are made with the first one, and judged to be look-alikes or not by it.
    micrograph, count, seed, exclude, embed, on_progress, whole_only
        As in `judge`.
    known : Imitation, optional
        What `imitate` has returned for the first one; its twins are used again, and it says
        whether only whole objects count.

    Raises
    ------
    UserError, ValueError
        As in `judge`.
    """
    (first, measure), *others = measures.items()
    if known is None:
        known = imitate(
            micrograph,
            measure,
            count=count,
            seed=seed,
            exclude=exclude,
            on_progress=on_progress,
            whole_only=whole_only,
        )
    steps = Steps(len(others) * (len(known.twins) + 1), on_progress)
    original = known.original
    answers = {first: _judgement(known, original.objects, known.seen, embed)}
    for name, other in others:
        own = as_objects(steps.measure(other, original.micrograph), original.counted)
        answers[name] = _judgement(known, own, steps.objects(other, known.twins), embed)
    return {name: _refused_with(answer, answers[first]) for name, answer in answers.items()}


def _judgement(
    known: Imitation, own: Labels, seen: Sequence[Labels], embed: Embed | None
) -> Judgement:
    """Return what the errors on twins say about the original."""
    original, twins, counted = known.original, known.twins, known.original.counted
    is_first = own is original.objects
    whole_only, size = known.whole_only, original.micrograph.pixel_size
    found = known.found if is_first else quantities_of(seen, counted, whole_only)
    measured = measured_quantities(own, counted, size, whole_only=whole_only).to_array()
    best = np.argsort(-known.weights, kind="stable")[:_COMPARED]
    pairs = [(twins[each].micrograph, seen[each]) for each in best]
    alike = likeness(original.micrograph, own, counted, pairs, embed)
    errors = errors_on(known.true, found)
    if alike.tells_only_share:
        errors[:, 1:] = np.nan
    objects = [match_objects(t.labels, f)[0] for t, f in zip(twins, seen, strict=True)]
    summed = _summed([objects[each] for each in np.flatnonzero(known.weights >= _SAYS_MUCH)])
    return _stated(measured, errors, known, summed, alike)


def errors_on(true: Floats, found: Floats) -> Floats:
    """Return how wrong each twin was measured, shape (twins, 7).

    Differences of shares; of the other quantities logarithms of measured by true.
    """
    with np.errstate(all="ignore"):
        errors = np.where(_ADDITIVE, found - true, np.log(found / true))
    return np.where(np.isfinite(errors), errors, np.nan)


def _unit(original: Original) -> tuple[str, float]:
    """Return the unit of lengths, and the edge of a pixel in it."""
    size = original.micrograph.pixel_size
    return ("px", 1.0) if size is None else (size.length_unit, size.to(size.length_unit))


def _summed(objects: list[Objects]) -> Objects:
    names = ("true", "found", "hit", "missed", "merged", "split", "invented")
    return Objects(*(sum(getattr(each, name) for each in objects) for name in names))


def _stated(
    measured: Floats, errors: Floats, known: Imitation, objects: Objects, alike: Likeness
) -> Judgement:
    """Return bias, spread and corrected values from the errors of twins, shape (twins, 7).

    Those of shares are differences, the others logarithms of measured by true.
    """
    mean, spread, many = summarise(errors, known.weights)
    reach = deviation(gather(known, measured, mean, spread, many, alike))
    corrected, high, low = (_less(measured, mean + by) for by in (0 * reach, -reach, reach))
    bias = measured - corrected
    scale = np.where(_ADDITIVE, 1, corrected)
    relative = np.where(_ADDITIVE, mean / corrected, np.expm1(mean))
    each = np.where(_ADDITIVE, spread / corrected, spread)
    return Judgement(
        Quantities.of(measured),
        Quantities.of(bias),
        Quantities.of(spread * scale),
        Quantities.of(np.where(corrected != 0, relative, np.nan)),
        Quantities.of(np.where(corrected != 0, each, np.nan)),
        Quantities.of(corrected),
        Quantities.of(np.maximum(low, 0)),
        Quantities.of(high),
        objects,
        alike,
        _unlike(alike) or _mostly_noise(measured, corrected) or _says_nothing(measured, reach),
        len(errors),
        known.seed,
        *_unit(known.original),
    )


def _unlike(alike: Likeness) -> str | None:
    return None if alike.tells_only_share else alike.refusal


def _mostly_noise(measured: Floats, corrected: Floats) -> str | None:
    """Return why no error is given where noise alone would be measured nearly as much."""
    if corrected[0] >= _LEAST_REAL * measured[0]:
        return None
    return (
        "Most of what was measured would be measured in this picture's noise and texture alone. "
        "Average the greys, or choose another way to measure."
    )


def _says_nothing(measured: Floats, reach: Floats) -> str | None:
    """Return why no error is given where the limits of the share would be as wide as itself."""
    if not reach[0] >= measured[0]:
        return None
    return (
        "Look-alikes do not tell how wrong this is: too much differs between them, and from this "
        "picture. No error is given rather than a vague one."
    )


def summarise(errors: Floats, weights: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return weighted means and standard deviations of errors, and of how many, shape (7,) each.

    NaN where fewer than half of the twins, or than three, have an error.
    """
    finite = np.isfinite(errors)
    many = finite.sum(axis=0)
    usable = many >= max(FEWEST, (len(errors) + 1) // 2)
    weight = np.where(finite, weights[:, None], 0)
    weight = weight / np.maximum(weight.sum(axis=0), 1e-300)
    mean = (weight * np.where(finite, errors, 0)).sum(axis=0)
    free = np.maximum(1 - (weight**2).sum(axis=0), 1e-9)
    spread = np.sqrt((weight * np.where(finite, (errors - mean) ** 2, 0)).sum(axis=0) / free)
    return np.where(usable, mean, np.nan), np.where(usable, spread, np.nan), many


def _less(measured: Floats, error: Floats) -> Floats:
    """Return measured values without an error: a logarithm of a ratio, of shares a difference."""
    return np.where(_ADDITIVE, measured - error, measured * np.exp(-error))


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
