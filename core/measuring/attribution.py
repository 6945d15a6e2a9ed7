"""How much of an explanation falls in each cluster of grey level."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class HasHeatmap(Protocol):
    """An explanation: `heatmap` of shape (H, W), not negative."""

    @property
    def heatmap(self) -> NDArray[Any]:
        """Evidence per pixel."""


class HasLabels(Protocol):
    """A clustering: `labels` of shape (H, W), -1 where excluded."""

    @property
    def labels(self) -> NDArray[Any]:
        """Number of the cluster of each pixel."""


def attribution_share(
    explanation: HasHeatmap | NDArray[Any], clustering: HasLabels | NDArray[Any]
) -> pd.DataFrame:
    """Compare each cluster's share of the evidence with its share of the area.

    Parameters
    ----------
    explanation : Explanation, or ndarray of shape (H, W)
        Evidence per pixel: finite and not negative.
    clustering : Clustering, or integer ndarray of shape (H, W)
        Labels from 0; pixels with -1 count neither as area nor as evidence.

    Returns
    -------
    DataFrame
        One row per cluster: cluster, area_share and evidence_share, which each add up to 1, and
        lift, their ratio: 1 where the network looks as much as anywhere, above 1 where it looks
        more. Without any evidence, evidence_share and lift are NaN; lift is NaN for a cluster
        without pixels.

    Raises
    ------
    ValueError
        If the two do not have the same shape, or hold other values.
    """
    heat = np.asarray(getattr(explanation, "heatmap", explanation), dtype=np.float64)
    labels = np.asarray(getattr(clustering, "labels", clustering))
    _check(heat, labels)
    included = labels >= 0
    clusters = int(getattr(clustering, "k", labels.max() + 1))
    area = np.bincount(labels[included], minlength=clusters)
    evidence = np.bincount(labels[included], weights=heat[included], minlength=clusters)
    area_share = area / area.sum()
    evidence_share = evidence / (evidence.sum() or np.nan)
    return pd.DataFrame(
        {
            "cluster": np.arange(clusters),
            "area_share": area_share,
            "evidence_share": evidence_share,
            "lift": evidence_share / np.where(area_share > 0, area_share, np.nan),
        }
    )


def _check(heat: NDArray[np.float64], labels: NDArray[Any]) -> None:
    """Refuse maps that cannot be laid over each other."""
    if heat.ndim != 2 or heat.shape != labels.shape:
        raise ValueError(
            f"heatmap and labels must have one shape (H, W), got {heat.shape} and {labels.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers, got {labels.dtype}")
    if not np.isfinite(heat).all() or heat.min() < 0:
        raise ValueError("heatmap must be finite and not negative")
    if labels.max() < 0:
        raise ValueError("labels must include at least one pixel; all are -1")
