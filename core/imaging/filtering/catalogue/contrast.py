"""Contrast."""

from core.imaging.filtering.operations import contrast
from core.imaging.filtering.specs import FilterSpec, Parameter

FAMILY = "Contrast"
OTHER = "Another loaded micrograph."

SPECS = (
    FilterSpec(
        "stretch",
        "Percentile stretch",
        FAMILY,
        contrast.stretch,
        (
            Parameter("low_pct", "Black at", "float", 0.5, 0.0, 99.9, "%"),
            Parameter("high_pct", "White at", "float", 99.5, 0.1, 100.0, "%"),
        ),
        "Spreads the greys between two percentiles over the full range and clips the rest.",
        uses_exclude=True,
    ),
    FilterSpec(
        "clahe",
        "Local contrast (CLAHE)",
        FAMILY,
        contrast.clahe,
        (
            Parameter("clip_limit", "Clip limit", "float", 2.0, 1.0, 40.0, help="Highest gain."),
            Parameter(
                "tile_px", "Tile", "int", 64, 8, 1024, "px", help="Edge of the neighbourhood."
            ),
        ),
        "Brings out faint local contrast. Greys of distant regions are no longer comparable.",
        "Zuiderveld (1994), Graphics Gems IV, 474-485; Pizer et al. (1987), Computer Vision, "
        "Graphics, and Image Processing 39, 355-368, doi:10.1016/S0734-189X(87)80186-X",
        uses_exclude=True,
    ),
    FilterSpec(
        "equalise",
        "Histogram equalisation",
        FAMILY,
        contrast.equalise,
        help="Gives every grey level its share of the range. Greys no longer measure anything.",
        reference="Gonzalez, Woods (2018), Digital Image Processing, 4th ed., Pearson, section 3.3",
        uses_exclude=True,
    ),
    FilterSpec(
        "match_histogram",
        "Match another histogram",
        FAMILY,
        contrast.match_histogram,
        (Parameter("other", "Like", "image", "", help=OTHER),),
        "Gives the image the grey levels of another one, rank by rank: a series looks alike.",
        "Gonzalez, Woods (2018), Digital Image Processing, 4th ed., Pearson, section 3.3",
        uses_exclude=True,
    ),
    FilterSpec(
        "gamma",
        "Gamma",
        FAMILY,
        contrast.gamma,
        (
            Parameter(
                "exponent",
                "Exponent",
                "float",
                0.7,
                0.1,
                10.0,
                help="Below 1 brightens the middle, above 1 darkens it.",
            ),
        ),
        "Bends the grey scale between black and white.",
        uses_exclude=True,
    ),
    FilterSpec(
        "unsharp",
        "Unsharp mask",
        FAMILY,
        contrast.unsharp,
        (
            Parameter("sigma_px", "Sigma", "float", 2.0, 0.5, 50.0, "px", help="Width of edges."),
            Parameter(
                "amount",
                "Amount",
                "float",
                0.6,
                0.0,
                5.0,
                help="0 changes nothing. ImageJ's weight w is w / (1 - w) here: its 0.6 is 1.5.",
            ),
        ),
        "Makes edges steeper, and noise stronger.",
        paints_over=True,
    ),
    FilterSpec(
        "invert",
        "Invert",
        FAMILY,
        contrast.invert,
        help="Swaps dark and bright.",
        uses_exclude=True,
    ),
)
