"""Texture."""

from core.imaging.filtering.operations import textures
from core.imaging.filtering.specs import FLOAT, FilterSpec, Parameter
from core.imaging.filtering.texture.maps import ANGLES_DEG, FOUR_ANGLES, PROPERTIES

FAMILY = "Texture"
_TENSOR = (Parameter("sigma_px", "Sigma", "float", 4.0, 0.5, 50.0, "px", help="Averaged over."),)
_TENSOR_REFERENCE = (
    "Bigün, Granlund (1987), ICCV, 433-438; Rezakhaniha et al. (2012), Biomechanics and Modeling "
    "in Mechanobiology 11, 461-473, doi:10.1007/s10237-011-0325-z"
)

SPECS = (
    FilterSpec(
        "glcm_texture",
        "Texture (GLCM)",
        FAMILY,
        textures.glcm_texture,
        (
            Parameter("prop", "Property", "choice", "contrast", choices=tuple(PROPERTIES)),
            Parameter("window_px", "Window", "odd", 5, 3, 255, "px"),
            Parameter(
                "levels",
                "Grey levels",
                "int",
                2,
                2,
                256,
                help="2 measures the texture of Otsu's mask; more use equal steps of grey.",
            ),
            Parameter("distance_px", "Pair distance", "int", 1, 1, 254, "px"),
            Parameter(
                "angle_deg",
                "Direction",
                "choice",
                0,
                unit="°",
                choices=(*ANGLES_DEG, FOUR_ANGLES),
                help="mean: of all four directions.",
            ),
            Parameter(
                "symmetric",
                "Both orders",
                "choice",
                "yes",
                choices=("yes", "no"),
                help="Count each pair of pixels in both orders.",
            ),
        ),
        "Maps how neighbouring greys go together in a window around each pixel.",
        "Haralick, Shanmugam, Dinstein (1973), IEEE Transactions on Systems, Man, and Cybernetics "
        "SMC-3, 610-621, doi:10.1109/TSMC.1973.4309314",
        result=FLOAT,
        uses_exclude=True,
        paints_over=True,
    ),
    FilterSpec(
        "local_binary_pattern",
        "Local binary pattern",
        FAMILY,
        textures.local_binary_pattern,
        (
            Parameter("radius_px", "Radius", "float", 1.0, 1.0, 10.0, "px"),
            Parameter("points", "Points", "int", 8, 4, 24),
        ),
        "Numbers the pattern of brighter and darker neighbours; blind to illumination.",
        "Ojala, Pietikäinen, Mäenpää (2002), IEEE Transactions on Pattern Analysis and Machine "
        "Intelligence 24, 971-987, doi:10.1109/TPAMI.2002.1017623",
        result=FLOAT,
        paints_over=True,
    ),
    FilterSpec(
        "gabor_bank",
        "Gabor bank",
        FAMILY,
        textures.gabor_bank,
        (
            Parameter("period_px", "Period", "float", 8.0, 2.5, 200.0, "px"),
            Parameter("directions", "Directions", "int", 6, 1, 16),
        ),
        "Shows where a pattern of one period is, in any direction, as its amplitude.",
        "Jain, Farrokhnia (1991), Pattern Recognition 24, 1167-1186, "
        "doi:10.1016/0031-3203(91)90143-S",
        result=FLOAT,
        uses_exclude=True,
        is_slow=True,
    ),
    FilterSpec(
        "local_deviation",
        "Local deviation",
        FAMILY,
        textures.local_deviation,
        (Parameter("window_px", "Window", "odd", 9, 3, 201, "px"),),
        "Shows how much greys vary around each pixel, in grey levels.",
        result=FLOAT,
        uses_exclude=True,
    ),
    FilterSpec(
        "local_entropy",
        "Local entropy",
        FAMILY,
        textures.local_entropy,
        (Parameter("radius_px", "Radius", "int", 5, 1, 30, "px"),),
        "Shows how unpredictable greys are around each pixel, in bits.",
        "Shannon (1948), Bell System Technical Journal 27, 379-423, "
        "doi:10.1002/j.1538-7305.1948.tb01338.x",
        result=FLOAT,
        uses_exclude=True,
        is_slow=True,
    ),
    FilterSpec(
        "orientation",
        "Orientation",
        FAMILY,
        textures.orientation,
        _TENSOR,
        "Shows the direction of lines and fibres as a colour, 0 to 180° anticlockwise.",
        _TENSOR_REFERENCE,
        result=FLOAT,
        uses_exclude=True,
        direction=True,
    ),
    FilterSpec(
        "coherence",
        "Coherence",
        FAMILY,
        textures.coherence,
        _TENSOR,
        "Shows how much one direction prevails: 0 none, 1 parallel lines.",
        _TENSOR_REFERENCE,
        result=FLOAT,
        uses_exclude=True,
    ),
)
