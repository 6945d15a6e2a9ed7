"""A mixture of Gaussians: clusters of any spread and direction, and how sure each row's is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.measuring.clustering.rows import Floats, Labels, Planes, in_order, nearest_center

Shares = NDArray[np.float64]

MOST_STEPS = 100
STILL = 1e-3  # gain of the mean log likelihood per row below which nothing more is won
SMALLEST_SPREAD = 1e-3  # added to every variance, where the features' own is 1


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Weights (k,), means (k, d), whiteners (k, d, d) and the mean log likelihood of what fitted.

    A whitener, the inverse of a covariance's Cholesky root, makes its Gaussian round and narrow: 1.
    """

    weights: Floats
    means: Floats
    whiteners: Floats
    log_likelihood: float

    def assign(self, planes: Planes, *, soft: bool) -> tuple[Labels, NDArray[np.float16] | None]:
        """Return the Gaussian of each row, (n,), and if asked how much belongs to each, (k, n).

        Columns of the latter add up to 1. Block by block: k numbers of eight bytes per row of a
        whole band would take far more memory than the band.
        """

        def work(part: slice) -> tuple[Labels, NDArray[np.float16] | None]:
            shares, _ = _posterior(self, planes[:, part])
            labels = shares.argmax(axis=0).astype(np.int16)
            return labels, shares.astype(np.float16) if soft else None

        parts = in_order(work, planes.shape[1])
        kept = [shares for _, shares in parts if shares is not None]
        labels = np.concatenate([labels for labels, _ in parts])
        return labels, np.concatenate(kept, axis=1) if kept else None


def fit_mixture(planes: Planes, centers: Floats) -> Mixture:
    """Fit one Gaussian per centre by expectation and maximisation, from k-means' groups.

    Parameters
    ----------
    planes : ndarray of shape (features, n), float32
    centers : ndarray of shape (k, features)
        Where to begin.

    References
    ----------
    Dempster, Laird & Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm,
    JRSS B 39, 1-38.
    """
    labels = nearest_center(planes, centers)
    shares = (labels[None] == np.arange(len(centers))[:, None]).astype(np.float64)
    found = _maximise(planes, shares, centers, -np.inf)
    for _ in range(MOST_STEPS):
        shares, likelihoods = _posterior(found, planes)
        likelihood = float(likelihoods.mean())
        gain = likelihood - found.log_likelihood
        found = _maximise(planes, shares, found.means, likelihood)
        if gain < STILL:
            break
    return found


def _maximise(planes: Planes, shares: Shares, means: Floats, likelihood: float) -> Mixture:
    """Return the Gaussians that fit rows best when each belongs to them by these shares."""
    weights = shares.sum(axis=1)
    held = np.maximum(weights, 1e-9)[:, None]
    means = np.where(weights[:, None] > 1e-9, np.einsum("kn,dn->kd", shares, planes) / held, means)
    whiteners = [
        _whitener(planes - mean[:, None], share, total)
        for mean, share, total in zip(means, shares, held[:, 0], strict=True)
    ]
    return Mixture(weights / planes.shape[1], means, np.stack(whiteners), likelihood)


def _whitener(away: Floats, share: Floats, total: float) -> Floats:
    spread = np.einsum("in,jn->ij", away * share, away) / total  # symmetric but for rounding
    root = np.linalg.cholesky(spread + SMALLEST_SPREAD * np.eye(len(away)))
    return np.asarray(np.linalg.inv(root))


def _posterior(mixture: Mixture, planes: Planes) -> tuple[Shares, Floats]:
    """Return shares (k, n) and the log likelihood of each row (n,)."""
    dimension, count = planes.shape
    logs = np.empty((len(mixture.means), count))
    parts = zip(mixture.weights, mixture.means, mixture.whiteners, strict=True)
    for number, (weight, mean, whitener) in enumerate(parts):
        away = planes - mean.astype(np.float32)[:, None]
        white = np.einsum("ij,jn->in", whitener.astype(np.float32), away)
        volume = np.log(np.diag(whitener)).sum() - dimension * np.log(2 * np.pi) / 2
        logs[number] = np.log(max(weight, 1e-300)) + volume - _half_squares(white)
    top = logs.max(axis=0)
    shares = np.exp(logs - top)
    total = shares.sum(axis=0)
    return shares / total, top + np.log(total)


def _half_squares(white: Planes) -> Floats:
    return np.asarray(np.square(white).sum(axis=0, dtype=np.float64) / 2)
