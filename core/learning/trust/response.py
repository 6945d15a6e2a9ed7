"""How a class's probability answers to the removal of pixels, and what that says of a map.

References
----------
Petsiuk, Das & Saenko (2018), RISE, BMVC, arXiv:1806.07421: deletion and insertion.
Rong et al. (2022), ROAD, ICML, arXiv:2202.00449: remove and debias.
Chattopadhay et al. (2018), Grad-CAM++, WACV, doi:10.1109/WACV.2018.00097: average drop, increase.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """A class's probability while one map's pixels are taken away, and what follows from it.

    Attributes
    ----------
    shares, road_shares : ndarray of shape (S,) and (R,)
        Removed share of the frame at each step.
    deletion, insertion : dict of fill to ndarray of shape (S,)
        Probability with the hottest share removed, and with only the hottest share kept.
    road_hottest, road_coldest : ndarray of shape (R,)
        Probability with the hottest or the coldest share removed and imputed.
    full : float
        Probability of the whole input.
    kept : float
        Probability of the input multiplied with the heat map.
    """

    shares: Curve
    road_shares: Curve
    deletion: dict[str, Curve]
    insertion: dict[str, Curve]
    road_hottest: Curve
    road_coldest: Curve
    full: float
    kept: float

    def deletion_auc(self, fill: str) -> float:
        """Area under the deletion curve, 0–1: the lower, the better the map."""
        return float(np.trapezoid(self.deletion[fill], self.shares))

    def insertion_auc(self, fill: str) -> float:
        """Area under the insertion curve, 0–1: the higher, the better the map."""
        return float(np.trapezoid(self.insertion[fill], self.shares))

    @property
    def gain(self) -> float:
        """Insertion less deletion, mean over the fills, −1 to 1; a random map has 0 on average."""
        differences = [self.insertion_auc(f) - self.deletion_auc(f) for f in self.deletion]
        return float(np.mean(differences))

    @property
    def road(self) -> float:
        """Half of (coldest removed − hottest removed), mean over shares, −0.5 to 0.5."""
        return float(np.mean(self.road_coldest - self.road_hottest) / 2)

    @property
    def drop(self) -> float:
        """Share of the probability lost where only what the map lights up is kept, 0–1."""
        return max(0.0, self.full - self.kept) / self.full if self.full > 0 else 0.0

    @property
    def increase(self) -> bool:
        """Whether the probability rises where only what the map lights up is kept."""
        return self.kept > self.full

    def after_deletion(self, share: float) -> float:
        """Probability with the hottest share removed, mean over the fills."""
        step = int(np.argmin(np.abs(self.shares - share)))
        return float(np.mean([curve[step] for curve in self.deletion.values()]))

    def reversed(self, kept: float) -> Response:
        """Return the response to the map's negative: the same runs, read from the other end.

        Removing the hottest share of the negative is removing the coldest of the map.
        """
        return replace(
            self,
            deletion={fill: curve[::-1] for fill, curve in self.insertion.items()},
            insertion={fill: curve[::-1] for fill, curve in self.deletion.items()},
            road_hottest=self.road_coldest,
            road_coldest=self.road_hottest,
            kept=kept,
        )
