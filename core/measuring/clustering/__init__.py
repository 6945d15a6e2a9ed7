"""Pixels -> phases: exact k-means of grey levels, k-means or mixtures of features, choice of k."""

from core.measuring.clustering.features import FeatureSet, feature_maps
from core.measuring.clustering.grey import cluster_gray
from core.measuring.clustering.pixels import (
    K_MEANS,
    METHODS,
    MIXTURE,
    FeatureClustering,
    cluster_features,
)
from core.measuring.clustering.result import (
    EXCLUDED,
    MAX_CLUSTERS,
    MIN_CLUSTERS,
    Clustering,
)

__all__ = [
    "EXCLUDED",
    "K_MEANS",
    "MAX_CLUSTERS",
    "METHODS",
    "MIN_CLUSTERS",
    "MIXTURE",
    "Clustering",
    "FeatureClustering",
    "FeatureSet",
    "cluster_features",
    "cluster_gray",
    "feature_maps",
]
