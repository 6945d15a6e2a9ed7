"""What each filter does to an array: one function per filter, free of names and settings.

One module per family; `base` says what all of them take and return.
"""

from core.imaging.filtering.operations.background import white_tophat
from core.imaging.filtering.operations.base import grey_range
from core.imaging.filtering.operations.contrast import clahe, gamma, invert, stretch
from core.imaging.filtering.operations.denoise import bilateral, gaussian, median, noise_sigma
from core.imaging.filtering.operations.edges import sobel
from core.imaging.filtering.operations.textures import glcm_texture
from core.imaging.filtering.operations.thresholds import otsu, otsu_threshold

__all__ = [
    "bilateral",
    "clahe",
    "gamma",
    "gaussian",
    "glcm_texture",
    "grey_range",
    "invert",
    "median",
    "noise_sigma",
    "otsu",
    "otsu_threshold",
    "sobel",
    "stretch",
    "white_tophat",
]
