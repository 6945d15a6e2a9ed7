"""How like an original its twins are, by statistics that did not make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering import radial_power
from core.measuring.statistics import two_point
from core.measuring.twins.errors import QUANTITIES, measured_quantities
from core.measuring.twins.truth import Labels, Mask
from core.micrograph import Micrograph

Embed = Callable[[Micrograph], NDArray[Any]]
_QUANTILES = np.linspace(1, 99, 50)
_LIMITS = {
    "greys": 0.25,
    "spectrum": 0.45,
    "noise": 0.35,
    "contrast": 0.35,
    "structure": 0.2,
    "measured": 0.25,
}
_WORDS = {
    "greys": "its grey levels",
    "spectrum": "its power spectrum",
    "noise": "its noise",
    "contrast": "its local contrast",
    "structure": "the arrangement of what was measured",
    "measured": "what is measured in them",
    "features": "its features as the network sees them",
}
_EMBED_LIMIT = 0.5
_WITNESSES = ("fraction", "count", "d50", "chord")
_CHANCE = 1.5  # by the root of the number of objects: so far apart are quantities of few
_FAINT = 0.1  # of the spread of greys: power of noise so weak is as good as none
_QUIET = 0.1  # of the spread of greys: less noise than that decides nothing
_SECOND_DIFFERENCES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far twins are from their original; 0 is alike, above its limit they are not.

    Attributes
    ----------
    greys : float
        Mean distance between quantiles of grey, by the standard deviation of the greys.
    spectrum : float
        Root mean square of the difference between the decimal logarithms of power, by frequency.
    noise : float
        Difference of the noise (of second differences), by that of the original.
    contrast : float
        Mean distance between quantiles of the local standard deviation (7 x 7 px), by its mean.
    structure : float
        Largest difference of the two-point correlation of what was measured.
    measured : float
        Largest difference of what is measured (fraction, count, D50, chord), as the natural
        logarithm of its ratio, beyond what the number of objects makes by chance: twins that
        measure otherwise say nothing about the measurement.
    features : float or None
        Cosine distance of embeddings, where a function for them was given.
    share : float
        The same as `measured` of the fraction alone.
    """

    greys: float
    spectrum: float
    noise: float
    contrast: float
    structure: float
    measured: float
    features: float | None = None
    share: float = 0.0

    @property
    def tells_only_share(self) -> bool:
        """Whether nothing is unlike but what is measured, and the fraction is alike.

        Specks are as many in a picture as its noise makes them, which twins may miss; they cover
        little, so that the fraction is known all the same.
        """
        return self.refusal is not None and replace(self, measured=self.share).refusal is None

    @property
    def refusal(self) -> str | None:
        """Why the twins say nothing about the original, in a sentence; None where they may."""
        limits = {**_LIMITS, "features": _EMBED_LIMIT}
        off = [
            _WORDS[name]
            for name, limit in limits.items()
            if getattr(self, name) is not None and not getattr(self, name) <= limit
        ]
        if not off:
            return None
        *before, last = off
        named = f"{', '.join(before)} and {last}" if before else last
        return (
            f"Pictures that look like this one could not be drawn: they differ in {named}. "
            "No error is given rather than a wrong one."
        )


def likeness(
    original: Micrograph,
    objects: Labels,
    counted: Mask,
    twins: Sequence[tuple[Micrograph, Labels]],
    embed: Embed | None = None,
) -> Likeness:
    """Return how far twins are from their original, on average over them.

    Parameters
    ----------
    original : Micrograph
    objects : ndarray of shape (H, W), int32
        As measured in the original.
    counted : ndarray of shape (H, W), bool
        True for what counts, in all of them.
    twins : sequence of (Micrograph, ndarray of shape (H, W), int32)
        Each with what the same measurement found in it.
    embed : function of a micrograph, optional
        Returns a vector of features.
    """
    own = _describe(original.pixels, objects, counted)
    others = [_describe(twin.pixels, found, counted) for twin, found in twins]
    mean = {name: np.mean([other[name] for other in others], axis=0) for name in own}
    spread = max(float(np.std(original.pixels[counted].astype(np.float64))), 1e-9)
    features = None
    if embed is not None:
        vectors = [np.asarray(embed(twin)).ravel() for twin, _ in twins]
        features = _cosine(np.asarray(embed(original)).ravel(), np.mean(vectors, axis=0))
    unlike = _apart(
        measured_quantities(objects, counted).to_array(),
        np.array([measured_quantities(found, counted).to_array() for _, found in twins]),
    )
    return Likeness(
        greys=float(np.abs(own["greys"] - mean["greys"]).mean()) / spread,
        spectrum=float(np.sqrt(np.mean((own["spectrum"] - mean["spectrum"]) ** 2))),
        noise=float(abs(own["noise"] - mean["noise"])) / max(float(own["noise"]), _QUIET * spread),
        contrast=float(np.abs(own["contrast"] - mean["contrast"]).mean())
        / max(float(own["contrast"].mean()), 1e-9),
        structure=float(np.abs(own["structure"] - mean["structure"]).max()),
        measured=float(unlike.max()),
        features=features,
        share=float(unlike[_WITNESSES.index("fraction")]),
    )


def _describe(pixels: NDArray[Any], objects: Labels, counted: Mask) -> dict[str, NDArray[Any]]:
    """Return the statistics of one picture that are compared."""
    grey = pixels.astype(np.float64)
    middle = float(grey[counted].mean())
    filled = np.where(counted, grey, middle)
    found = radial_power(filled.astype(np.float32))
    white = float(np.average(found.power, weights=found.frequency))  # had it all one variance
    kept = found.power[1 : max(2, found.power.size * 2 // 3)]
    bins = np.array_split(np.log10(kept + max(_FAINT**2 * white, 1e-12)), min(24, kept.size))
    plain = filled.astype(np.float32) - np.float32(middle)
    mean, square = (cv2.blur(each, (7, 7)) for each in (plain, plain * plain))
    local = np.sqrt(np.maximum(square - mean * mean, 0))[counted]
    structure = np.asarray(two_point(objects > 0, included=counted).correlation)
    return {
        "greys": np.percentile(grey[counted], _QUANTILES),
        "spectrum": np.array([each.mean() for each in bins]),
        "noise": np.array(_noise(filled)),
        "contrast": np.percentile(local, _QUANTILES),
        "structure": np.interp(np.linspace(0, 1, 60), np.linspace(0, 1, structure.size), structure)
        if structure.size
        else np.zeros(60),
    }


def _apart(own: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the differences of what the comparison looks at, as log ratios, as `_WITNESSES`."""
    known = np.isfinite(others)
    sums = np.where(known, others, 0).sum(axis=0)
    with np.errstate(all="ignore"):
        ratio = np.log(sums / known.sum(axis=0) / own)
    ratio = np.abs(ratio[[QUANTITIES.index(name) for name in _WITNESSES]])
    by_chance = _CHANCE / np.sqrt(max(own[QUANTITIES.index("count")], 1))
    return np.where(np.isfinite(ratio), np.maximum(ratio - by_chance, 0), 0)


def _noise(grey: NDArray[np.float64]) -> float:
    """Return the noise of single pixels, in grey levels.

    Of means of the second differences' sizes, so that whole grey levels do not show as steps.
    """
    rough = cv2.filter2D(grey.astype(np.float32), cv2.CV_32F, _SECOND_DIFFERENCES)
    sizes = np.abs(rough[1:-1, 1:-1])
    return float(sizes[sizes <= np.percentile(sizes, 80)].mean()) if sizes.size else 0.0


def _cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return 1 - float(one @ other) / size if size else 0.0
