"""Painted pixels -> a classifier of pixels; the strokes alone decide, whatever the phases are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.measuring.strokes.maps import (
    THREADS,
    Part,
    PixelMaps,
    as_rows,
    as_whole,
    describe_pixels,
    hidden_pixels,
    parts,
)
from core.micrograph import Micrograph

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Paint = NDArray[np.integer[Any]]
Rows = NDArray[np.float32]
MOST_PHASES = 8
TREES = 50
_MOST_ROWS = 60_000  # painted pixels that trees learn from; more are drawn evenly from each phase
_LEAST_LEAF = 2
_AT_ONCE = 1 << 14  # pixels that a thread answers for at once: what they are like fits its cache
# After so many trees a pixel is told if its likeliest phase leads by so much: on eleven pictures of
# four sets the others would have changed the phase of fewer than one pixel in ten thousand.
_TOLD_AFTER = ((8, 0.8), (12, 0.75), (16, 0.65), (24, 0.45), (32, 0.35))


@dataclass(frozen=True)
class PixelClassifier:
    """What strokes taught, ready for the micrographs they lie on and for others like them.

    Attributes
    ----------
    phases : int
        Number of phases, K; they are numbered from 1.
    painted : dict of str to ndarray of shape (H, W), uint8
        The strokes by digest of the pixels under them: painted pixels keep their phase.
    model : object
        What answers with probabilities.
    described : dict of str to PixelMaps
        What surrounds the pixels of a micrograph, by the digest of these, where that is at hand.
    """

    phases: int
    painted: dict[str, Labels] = field(repr=False)
    model: Trees | Lines = field(repr=False)
    described: dict[str, PixelMaps] = field(default_factory=dict, repr=False)

    def apply(
        self,
        micrograph: Micrograph,
        exclude: Mask | None = None,
        *,
        described: PixelMaps | None = None,
    ) -> tuple[Labels, NDArray[np.float32]]:
        """Return the phase of every pixel, and how probable each phase is there.

        Parameters
        ----------
        micrograph : Micrograph
        exclude : ndarray of shape (H, W), bool, optional
            True where something else than specimen shows.
        described : PixelMaps, optional
            `describe_pixels` of the same, where they are at hand.

        Returns
        -------
        labels : ndarray of shape (H, W), uint8
            1 to K; 0 where a pixel is excluded or not finite.
        probabilities : ndarray of shape (K, H, W), float32
            They add up to 1, and are 0 where the label is 0.

        Raises
        ------
        ValueError
            If the mask has another shape.
        """
        maps = described or self._at_hand(micrograph, exclude)
        labels = np.zeros(micrograph.shape, np.uint8)
        probabilities = np.zeros((self.phases, *micrograph.shape), np.float32)

        def answer(part: Part) -> None:
            counted = ~maps.hidden[part]
            if counted.any():
                planes = maps.of(part)
                flat = planes.reshape(len(planes), -1) if counted.all() else planes[:, counted]
                found = self._answer(flat)
                labels[part][counted] = 1 + found.argmax(axis=0)
                probabilities[:, *part][:, counted] = found

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(answer, parts(maps.shape)))
        self._keep_paint(micrograph, labels, probabilities)
        return labels, probabilities

    def _at_hand(self, micrograph: Micrograph, exclude: Mask | None) -> PixelMaps:
        """Return what surrounds the pixels, from learning if the same was left out there."""
        kept = self.described.get(_digest(micrograph)) if self.described else None
        if kept is not None and np.array_equal(kept.hidden, hidden_pixels(micrograph, exclude)):
            return kept
        return describe_pixels(micrograph, exclude)

    def _answer(self, planes: NDArray[np.float16]) -> NDArray[np.float32]:
        """Return probabilities (K, n) of pixels given by their maps (maps, n)."""
        parts = (planes[:, at : at + _AT_ONCE] for at in range(0, planes.shape[1], _AT_ONCE))
        return np.concatenate([self.model.answer(part) for part in parts], axis=1)

    def _keep_paint(
        self, micrograph: Micrograph, labels: Labels, probabilities: NDArray[np.float32]
    ) -> None:
        """Give painted pixels the phase that they were painted with."""
        paint = self.painted.get(_digest(micrograph))
        if paint is None:
            return
        touched = (paint > 0) & (labels > 0)
        labels[touched] = paint[touched]
        for phase in range(self.phases):
            probabilities[phase][touched] = paint[touched] == phase + 1


def learn_pixels(
    micrographs: Sequence[Micrograph],
    painted: Sequence[Paint],
    *,
    seed: int = 0,
    exclude: Sequence[Mask | None] | None = None,
    preview: bool = False,
    described: Sequence[PixelMaps] | None = None,
) -> PixelClassifier:
    """Learn phases from strokes on one or several micrographs.

    Extremely randomised trees on maps of the surroundings at five scales. The same strokes and
    seed give the same answer, to the last bit.

    Parameters
    ----------
    micrographs : sequence of Micrograph
    painted : sequence of ndarray of shape (H, W), integers
        One for each micrograph: 0 where nothing was painted, else the number of the phase, from 1
        to K without gaps over all of them, K from 2 to 8.
    seed : int
        Of the trees.
    exclude : sequence of ndarray of shape (H, W), bool, or None, optional
        One for each micrograph: True where something else than specimen shows. Strokes there do
        not count, and its greys are no surroundings. Give `apply` the same.
    preview : bool
        Shrunk linear discriminants instead of trees: at once, but less exact.
    described : sequence of PixelMaps, optional
        `describe_pixels` of each micrograph with what is excluded, where they are at hand.

    Returns
    -------
    PixelClassifier

    Raises
    ------
    UserError
        If fewer than two phases are painted, or a number between them is missing.
    ValueError
        If the painted arrays do not fit the micrographs.

    References
    ----------
    Geurts, Ernst, Wehenkel (2006), Machine Learning 63, 3-42, doi:10.1007/s10994-006-6226-1;
    Ledoit, Wolf (2004), Journal of Multivariate Analysis 88, 365-411,
    doi:10.1016/S0047-259X(03)00096-4.
    """
    maps = list(described or describe_all(micrographs, exclude))
    paints = _checked(micrographs, painted, [each.hidden for each in maps])
    rows, phases = painted_rows(maps, paints)
    model = Lines(rows, phases) if preview else Trees(rows, phases, seed)
    by_digest = {_digest(m): p for m, p in zip(micrographs, paints, strict=True)}
    # Of several micrographs the maps would take too much memory to be held.
    at_hand = {} if len(maps) > 1 else dict(zip(by_digest, maps, strict=True))
    return PixelClassifier(int(phases.max()), by_digest, model, at_hand)


def describe_all(
    micrographs: Sequence[Micrograph], exclude: Sequence[Mask | None] | None
) -> list[PixelMaps]:
    """Return the maps of each micrograph.

    Raises
    ------
    ValueError
        If there are not as many masks as micrographs.
    """
    given = exclude if exclude is not None else [None] * len(micrographs)
    if len(given) != len(micrographs):
        raise ValueError(f"{len(micrographs)} micrographs need as many excluded masks")
    return [describe_pixels(m, mask) for m, mask in zip(micrographs, given, strict=True)]


def painted_rows(maps: Sequence[PixelMaps], painted: Sequence[Paint]) -> tuple[Rows, Any]:
    """Return the maps (n, maps) and the numbers (n,) of all painted pixels, in order."""
    rows = [each.at(paint > 0) for each, paint in zip(maps, painted, strict=True)]
    found = [each for each in rows if len(each)]
    return np.concatenate(found), np.concatenate([paint[paint > 0] for paint in painted])


class Trees:
    """Extremely randomised trees whose answers are added up in one order, hence always alike."""

    def __init__(self, rows: Rows, phases: Labels, seed: int) -> None:
        from sklearn.ensemble import ExtraTreesClassifier

        chosen = _draw(phases, np.random.default_rng(seed))
        forest = ExtraTreesClassifier(
            TREES,
            min_samples_leaf=_LEAST_LEAF,
            class_weight="balanced",
            random_state=seed,
        )
        forest.fit(rows[chosen], phases[chosen])
        self.classes = forest.classes_
        trees = [tree.tree_ for tree in forest.estimators_]
        self._leaves = [(tree.apply, _shares_of_leaves(tree)) for tree in trees]

    def predict_proba(self, rows: Rows) -> NDArray[np.float32]:
        """Return probabilities (n, K) of pixels given by their maps (n, maps).

        Where the first trees agree the others are not asked, and most of a micrograph is such.
        """
        return np.ascontiguousarray(self._shares(rows).T)

    def _shares(self, rows: Rows) -> NDArray[np.float32]:
        """Return the same by phase, shape (K, n)."""
        found = np.empty((len(self.classes), len(rows)), np.float32)
        waiting, total, asked = np.arange(len(rows)), np.zeros(found.shape, np.float32), 0
        for trees, lead in (*_TOLD_AFTER, (TREES, -1.0)):
            for leaf_of, shares in self._leaves[asked:trees]:
                leaf = leaf_of(rows)
                for each, share in zip(total, shares, strict=True):
                    each += share.take(leaf)
            asked = trees
            is_told = _lead(total) >= lead * trees
            found[:, waiting[is_told]] = total[:, is_told] / np.float32(trees)
            left = np.flatnonzero(~is_told)
            rows, total, waiting = rows[left], total[:, left], waiting[left]
            if not len(waiting):
                break
        return found

    def answer(self, planes: NDArray[np.float16]) -> NDArray[np.float32]:
        """Return probabilities (K, n) of pixels given by their maps (maps, n)."""
        return self._shares(as_rows(planes))


def _shares_of_leaves(tree: Any) -> NDArray[np.float32]:
    """Return what each node of a tree says, shape (K, nodes); the phases of one add up to 1."""
    values = tree.value[:, 0, :]
    return np.ascontiguousarray((values / values.sum(axis=1, keepdims=True)).T, np.float32)


def _lead(total: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return by how much the likeliest phase leads the next, of sums (K, n)."""
    if len(total) == 2:
        return np.asarray(np.abs(total[0] - total[1]))
    first, second = total[0], np.zeros_like(total[0])
    for each in total[1:]:
        second = np.maximum(second, np.minimum(first, each))
        first = np.maximum(first, each)
    return np.asarray(first - second)


class Lines:
    """Shrunk linear discriminants: less exact than trees, and at once."""

    def __init__(self, rows: Rows, phases: Labels) -> None:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        found = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(rows, phases)
        weights, start = found.coef_, found.intercept_
        if len(found.classes_) == 2:  # one line says how much likelier the second phase is
            weights, start = np.vstack([0 * weights, weights]), np.array([0.0, start[0]])
        self._weights = weights.astype(np.float32)
        self._start = start.astype(np.float32)[:, None]

    def answer(self, planes: NDArray[np.float16]) -> NDArray[np.float32]:
        """Return probabilities (K, n) of pixels given by their maps (maps, n)."""
        # No matrix library: its last digits depend on how many threads it has.
        score = np.einsum("kd,dn->kn", self._weights, as_whole(planes)) + self._start
        score = np.exp(score - score.max(axis=0))
        return np.asarray(score / score.sum(axis=0), np.float32)


def _draw(phases: Labels, random: np.random.Generator) -> NDArray[np.intp]:
    """Return which painted pixels trees learn from: all, or as many of each phase."""
    if len(phases) <= _MOST_ROWS:
        return np.arange(len(phases))
    share = _MOST_ROWS // len(np.unique(phases))
    parts = (np.flatnonzero(phases == phase) for phase in np.unique(phases))
    kept = [p if len(p) <= share else random.choice(p, share, replace=False) for p in parts]
    return np.sort(np.concatenate(kept))


def _checked(
    micrographs: Sequence[Micrograph], painted: Sequence[Paint], hidden: Sequence[Mask]
) -> list[Labels]:
    """Return the strokes as phases from 1 to K, or say what is wrong with them."""
    if not micrographs or len(micrographs) != len(painted):
        raise ValueError(f"{len(micrographs)} micrographs need as many painted arrays")
    for micrograph, paint in zip(micrographs, painted, strict=True):
        if paint.shape != micrograph.shape or paint.dtype.kind not in "iu":
            raise ValueError(
                f"painted must be integers of shape {micrograph.shape}, "
                f"got {paint.dtype} of shape {paint.shape}"
            )
        if paint.size and paint.min() < 0:
            raise ValueError("painted must be 0 or the number of a phase, from 1")
    paints = [np.where(h, 0, p) for h, p in zip(hidden, painted, strict=True)]
    found = np.unique(np.concatenate([np.unique(paint) for paint in paints]))
    found = found[found > 0]
    if len(found) < 2:
        raise UserError("Paint at least two phases: one stroke in each is enough to begin.")
    if found[-1] > MOST_PHASES:
        raise UserError(f"At most {MOST_PHASES} phases can be told apart; paint fewer.")
    if found[-1] != len(found):
        missing = next(n for n in range(1, MOST_PHASES + 1) if n not in found)
        raise UserError(f"Phase {missing} has no stroke. Paint one, or remove the phase.")
    return [paint.astype(np.uint8) for paint in paints]


def _digest(micrograph: Micrograph) -> str:
    """Return what tells pixels apart, whatever the file around them is."""
    pixels = np.ascontiguousarray(micrograph.pixels)
    return hashlib.sha256(f"{pixels.dtype}{pixels.shape}".encode() + pixels.tobytes()).hexdigest()
