"""Results as plotly figures: transparent, legible on light and dark, safe for colour blindness.

Nothing here computes a number that belongs in a table; the histograms only count pixels for the
eye. Every figure carries axis titles with units, and looks as meant with `theme=None`.
"""

from core.reporting.figures.attributions import attribution
from core.reporting.figures.batches import (
    area_intervals,
    confusion,
    reliability,
    size_distributions,
)
from core.reporting.figures.by_hand import hand_histogram
from core.reporting.figures.choices import choice_of_k, fraction_bands
from core.reporting.figures.classes import class_counts, class_distribution, probabilities, recalls
from core.reporting.figures.embeddings import axis_titles, image_map, kind_colors
from core.reporting.figures.explanations import evidence_histogram, evidence_map
from core.reporting.figures.filters import line_profiles, radial_powers
from core.reporting.figures.histograms import cluster_histogram, histogram
from core.reporting.figures.learning import learning_curve, mean_map
from core.reporting.figures.mistakes import mistakes
from core.reporting.figures.sizes import limit_curve, size_distribution
from core.reporting.figures.structure import pair_correlation, rose, two_point, widths
from core.reporting.figures.style import BLUE, GREY, ORANGE, look
from core.reporting.figures.trust import agreement, cascade, removal_curves

__all__ = [
    "BLUE",
    "GREY",
    "ORANGE",
    "agreement",
    "area_intervals",
    "attribution",
    "axis_titles",
    "cascade",
    "choice_of_k",
    "class_counts",
    "class_distribution",
    "cluster_histogram",
    "confusion",
    "evidence_histogram",
    "evidence_map",
    "fraction_bands",
    "hand_histogram",
    "histogram",
    "image_map",
    "kind_colors",
    "learning_curve",
    "limit_curve",
    "line_profiles",
    "look",
    "mean_map",
    "mistakes",
    "pair_correlation",
    "probabilities",
    "radial_powers",
    "recalls",
    "reliability",
    "removal_curves",
    "rose",
    "size_distribution",
    "size_distributions",
    "two_point",
    "widths",
]
