"""Pixels -> phases: exact k-means of grey levels, k-means or mixtures of features, choice of k."""

from core.measuring.clustering.choice import ChoiceOfK, choose_k_features, choose_k_gray
from core.measuring.clustering.features import (
    FeatureSet,
    describe_rows,
    each_map,
    feature_maps,
    prepare_grey,
    small_feature_maps,
)
from core.measuring.clustering.grey import cluster_gray
from core.measuring.clustering.grouping import GREY, decide_smoothing, group_pixels
from core.measuring.clustering.noise import NoiseFound, average_greys, find_noise
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
    counted_pixels,
)
from core.measuring.clustering.smoothing import (
    AUTO,
    GREYS,
    NONE,
    Smoothing,
    compare_fractions,
    moved_share,
    smooth_labels,
)
from core.measuring.clustering.stability import fraction_bands

__all__ = [
    "AUTO",
    "EXCLUDED",
    "GREY",
    "GREYS",
    "K_MEANS",
    "MAX_CLUSTERS",
    "METHODS",
    "MIN_CLUSTERS",
    "MIXTURE",
    "NONE",
    "ChoiceOfK",
    "Clustering",
    "FeatureClustering",
    "FeatureSet",
    "NoiseFound",
    "Smoothing",
    "average_greys",
    "choose_k_features",
    "choose_k_gray",
    "cluster_features",
    "cluster_gray",
    "compare_fractions",
    "counted_pixels",
    "decide_smoothing",
    "describe_rows",
    "each_map",
    "feature_maps",
    "find_noise",
    "fraction_bands",
    "group_pixels",
    "moved_share",
    "prepare_grey",
    "small_feature_maps",
    "smooth_labels",
]
