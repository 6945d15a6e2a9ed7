"""Features and classes -> one linear layer, regularised as held-out groups ask for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.learning.classifying import softmax
from core.learning.training.quick.folds import split

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)  # C of features whose mean square length is 1
USUAL_STRENGTH = 3.0  # where groups are too few to choose
_INNER_FOLDS = 3
_LEAST_SPREAD = 0.1  # of the median one: what hardly varies must not be blown up
_MOST_STEPS = 100
_CLOSE_ENOUGH = 1e-3  # of the gradient; probabilities then move by less than 0.001
Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A linear layer over pooled features: logits = features @ weight.T + bias.

    Attributes
    ----------
    weight : ndarray of shape (K, C), float64
    bias : ndarray of shape (K,), float64
    strength : float
        Inverse of the penalty, for features whose mean square length is 1.
    """

    weight: Array
    bias: Array
    strength: float

    def __call__(self, features: Array) -> NDArray[np.float64]:
        """Return logits (N, K) of features (N, C)."""
        logits: NDArray[np.float64] = features.astype(np.float64) @ self.weight.T + self.bias
        return logits


def fit_head(features: Array, truth: Array, groups: Array) -> Head:
    """Return a head whose strength is the best one for groups held out of these pictures.

    Parameters
    ----------
    features : ndarray of shape (N, C)
    truth, groups : ndarray of shape (N,), int
        Classes 0 … K − 1 all occur in `truth`.

    References
    ----------
    Hoerl & Kennard (1970), Ridge regression, Technometrics, doi:10.1080/00401706.1970.10488634;
    the penalty here is that of multinomial logistic regression.
    """
    return fit_at(features, truth, choose_strength(features, truth, groups))


def choose_strength(features: Array, truth: Array, groups: Array) -> float:
    """Return the strength with the smallest log-loss on groups held out."""
    losses = np.zeros(len(STRENGTHS))
    for rest, held in split(truth, groups, _INNER_FOLDS, seed=1):
        heads = _fit(features[rest], truth[rest], STRENGTHS)
        for place, head in enumerate(heads):
            p = softmax(head(features[held]))[np.arange(len(held)), truth[held]]
            losses[place] -= float(np.log(p.clip(1e-6)).sum())
    return STRENGTHS[int(losses.argmin())] if losses.any() else USUAL_STRENGTH


def fit_at(features: Array, truth: Array, strength: float) -> Head:
    """Return the head of one strength."""
    return _fit(features, truth, (strength,))[0]


def _fit(features: Array, truth: Array, strengths: Sequence[float]) -> list[Head]:
    """Return a head per strength, of growing strengths, each begun where the last one ended.

    Rotated to their principal axes the features have no more columns than there are pictures: the
    penalty is the same, and a fit takes milliseconds.
    """
    x = features.astype(np.float64)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.maximum(spread, max(1e-9, _LEAST_SPREAD * float(np.median(spread))))
    centred = (x - mean) / spread
    length = float(np.sqrt((centred**2).sum(axis=1).mean())) or 1.0
    left, sizes, axes = np.linalg.svd(centred / length, full_matrices=False)
    fitted = _fit_rotated(left * sizes, truth, strengths)
    return [_unfold(w @ axes / (length * spread), b, mean, c) for w, b, c in fitted]


def _fit_rotated(
    x: Array, truth: Array, strengths: Sequence[float]
) -> list[tuple[Array, Array, float]]:
    from sklearn import config_context
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        solver="newton-cg",  # a few steps: 3 ms, a third of lbfgs
        tol=_CLOSE_ENOUGH,
        max_iter=_MOST_STEPS,
        warm_start=True,
    )
    counts = np.bincount(truth)
    weights = (len(truth) / (len(counts) * counts))[truth]  # classes count equally
    fitted = []
    lean = config_context(assume_finite=True, skip_parameter_validation=True)
    with lean, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # close enough for a head
        for strength in strengths:
            model.set_params(C=strength).fit(x, truth, weights)
            weight, bias = model.coef_.copy(), model.intercept_.copy()
            if len(weight) == 1:  # two classes: one difference of scores
                weight, bias = np.vstack([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
            fitted.append((weight, bias, strength))
    return fitted


def _unfold(weight: Array, bias: Array, mean: Array, strength: float) -> Head:
    return Head(weight, bias - weight @ mean, strength)
