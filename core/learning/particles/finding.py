"""Micrograph -> numbered objects, without any setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.overlays import find_overlays
from core.learning.particles.classical import by_shape
from core.micrograph import Micrograph

if TYPE_CHECKING:
    from core.learning.particles.network import ParticleNetwork

_MOST_PX = 4_000_000  # larger frames are searched reduced by a whole number
_SHORTEST_PX, _NARROWEST = 48, 8  # frames for the network: shorter side, longer by shorter side
Labels = NDArray[np.int32]


def find_particles(micrograph: Micrograph, *, exclude: NDArray[Any] | None = None) -> Labels:
    """Return the particles of a micrograph, each with its own number.

    By the installed particle network (`models/em-particles`); without one, or on frames too small
    or too narrow for it, by threshold and shape (`find_by_shape`). Dark or bright, on even or
    shaded ground: what they are is found, not assumed. Info bars, scale bars, letters and pixels
    that are not finite belong to no particle; what they cut is cut.

    Parameters
    ----------
    micrograph : Micrograph
    exclude : ndarray of shape (H, W), bool, optional
        True where nothing shall be found, besides what `find_overlays` finds.

    Returns
    -------
    ndarray of shape (H, W), int32
        0 is ground; particles are numbered from 1 in reading order. All 0 where nothing stands out
        from the noise.

    Raises
    ------
    UnusableModel
        If the installed network is damaged.
    ValueError
        If `exclude` has another shape than the micrograph or is not boolean.
    """
    network = _network_for(micrograph)
    if network is None:
        return find_by_shape(micrograph, exclude=exclude)
    return find_with(network, micrograph, exclude=exclude)


def way_to_particles(micrograph: Micrograph) -> Literal["network", "shape"]:
    """Return how `find_particles` goes about a micrograph; parameters and errors as there."""
    return "shape" if _network_for(micrograph) is None else "network"


def _network_for(micrograph: Micrograph) -> ParticleNetwork | None:
    from core.learning.particles.model import shipped_network  # torch, only when it is asked for

    return shipped_network() if _suits_network(micrograph.shape) else None


def find_with(
    network: ParticleNetwork, micrograph: Micrograph, *, exclude: NDArray[Any] | None = None
) -> Labels:
    """Return the particles that a network finds; the rest as `find_particles`."""
    from core.learning.particles.asking import by_network

    hidden = _hidden(micrograph, exclude)
    return by_network(network, _as_singles(micrograph.pixels, hidden), hidden)


def find_by_shape(micrograph: Micrograph, *, exclude: NDArray[Any] | None = None) -> Labels:
    """Return the particles found by threshold and shape alone; parameters as `find_particles`.

    Frames above 4 megapixels are searched on means of 2 × 2 px or more, and outlines follow those.
    """
    hidden = _hidden(micrograph, exclude)
    pixels = _as_singles(micrograph.pixels, hidden)
    stride = max(1, int(np.ceil(np.sqrt(pixels.size / _MOST_PX))))
    if stride == 1:
        return by_shape(pixels, hidden)
    rows, cols = pixels.shape
    found = by_shape(_blocks(pixels, stride), _blocks(hidden.astype(np.float32), stride) >= 0.5)
    large = np.repeat(np.repeat(found, stride, axis=0), stride, axis=1)[:rows, :cols]
    return np.ascontiguousarray(np.where(hidden, 0, large))


def _suits_network(shape: tuple[int, int]) -> bool:
    return min(shape) >= _SHORTEST_PX and max(shape) <= _NARROWEST * min(shape)


def _blocks(values: NDArray[np.float32], edge: int) -> NDArray[np.float32]:
    """Return the means of blocks; those at the right and lower edge repeat what is there."""
    padded = np.pad(values, [(0, -side % edge) for side in values.shape], mode="edge")
    small_wh = padded.shape[1] // edge, padded.shape[0] // edge
    return np.asarray(cv2.resize(padded, small_wh, interpolation=cv2.INTER_AREA), np.float32)


def _hidden(micrograph: Micrograph, exclude: NDArray[Any] | None) -> NDArray[np.bool_]:
    """Return where nothing shall be found."""
    hidden = find_overlays(micrograph)
    if micrograph.pixels.dtype.kind == "f":
        hidden |= ~np.isfinite(micrograph.pixels)
    if exclude is None:
        return hidden
    given = np.asarray(exclude)
    if given.shape != micrograph.shape or given.dtype != np.bool_:
        raise ValueError(
            f"exclude must be bool of shape {micrograph.shape}, got {given.dtype} {given.shape}"
        )
    return np.asarray(hidden | given)


def _as_singles(pixels: NDArray[Any], hidden: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return pixels from 0 to 1, over the range of those that count; 0 where they are not finite.

    One range for every depth, so that huge or tiny floats neither overflow nor vanish.
    """
    counted = pixels[~hidden]
    if not counted.size:
        return np.zeros(pixels.shape, np.float32)
    low, high = float(counted.min()), float(counted.max())
    if high <= low:
        return np.zeros(pixels.shape, np.float32)
    grey = np.where(hidden, low, pixels).astype(np.float64)
    return np.asarray((grey - low) / (high - low), np.float32)
