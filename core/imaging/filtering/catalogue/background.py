"""Background."""

from core.imaging.filtering.operations import background
from core.imaging.filtering.specs import FilterSpec, Parameter

FAMILY = "Background"
_RADIUS = (
    Parameter("radius_px", "Radius", "int", 12, 1, 200, "px", help="Wider than the detail."),
)
_GROUND = Parameter(
    "ground",
    "Ground",
    "choice",
    "auto",
    choices=("dark", "bright", "auto"),
    help="bright for dark objects (bright field); auto: the picture decides, and it is said.",
)
_TOPHAT = (
    "Meyer (1979), Journal of Histochemistry and Cytochemistry 27, 128-135, doi:10.1177/27.1.438499"
)

SPECS = (
    FilterSpec(
        "rolling_ball",
        "Rolling ball",
        FAMILY,
        background.rolling_ball,
        (
            Parameter(
                "radius_px", "Radius", "int", 50, 2, 500, "px", help="Larger than any object."
            ),
            _GROUND,
        ),
        "Subtracts the ground on which a ball rolls below the image, as in ImageJ.",
        "Sternberg (1983), Computer 16(1), 22-34, doi:10.1109/MC.1983.1654163",
        uses_exclude=True,
        paints_over=True,
        picks=background.ground_of,
    ),
    FilterSpec(
        "tophat",
        "Top-hat",
        FAMILY,
        background.tophat,
        (*_RADIUS, _GROUND),
        "Keeps detail smaller than a disc, shown bright: what is brighter than dark ground, or "
        "darker than bright ground.",
        _TOPHAT,
        uses_exclude=True,
        paints_over=True,
        picks=background.ground_of,
    ),
    FilterSpec(
        "white_tophat",
        "White top-hat",
        FAMILY,
        background.white_tophat,
        _RADIUS,
        "Keeps bright detail smaller than a disc; removes uneven background.",
        _TOPHAT,
        paints_over=True,
    ),
    FilterSpec(
        "black_tophat",
        "Black top-hat",
        FAMILY,
        background.black_tophat,
        _RADIUS,
        "Keeps dark detail smaller than a disc, shown bright.",
        _TOPHAT,
        paints_over=True,
    ),
    FilterSpec(
        "subtract_gaussian",
        "Subtract a wide blur",
        FAMILY,
        background.subtract_gaussian,
        (
            Parameter(
                "sigma_px", "Sigma", "float", 50.0, 2.0, 1000.0, "px", help="Wider than objects."
            ),
        ),
        "Evens out slow changes of brightness; the mean grey level stays.",
        uses_exclude=True,
    ),
    FilterSpec(
        "subtract_surface",
        "Subtract a plane or surface",
        FAMILY,
        background.subtract_surface,
        (
            Parameter("degree", "Degree", "int", 2, 1, 5, help="1 a plane, 2 a bowl."),
            Parameter(
                "ground",
                "Fitted to",
                "choice",
                "all",
                choices=("all", "dark", "bright", "auto"),
                help="dark or bright ground: objects hardly count. auto: the picture decides, and "
                "it is said.",
            ),
        ),
        "Removes tilt and vignetting: a polynomial surface. The mean grey level stays.",
        uses_exclude=True,
        picks=background.ground_of,
    ),
    FilterSpec(
        "flat_field",
        "Flat field",
        FAMILY,
        background.flat_field,
        (
            Parameter(
                "other",
                "Flat field",
                "image",
                "",
                help="Another loaded micrograph of the same size, of even illumination.",
            ),
        ),
        "Divides by an image of even illumination.",
        "Seibert, Boone, Lindfors (1998), Proc. SPIE 3336, 348-354, doi:10.1117/12.317034",
        uses_exclude=True,
    ),
    FilterSpec(
        "destripe",
        "Curtains and scan lines",
        FAMILY,
        background.destripe,
        (
            Parameter(
                "stripes",
                "Stripes",
                "choice",
                "vertical",
                choices=("vertical", "horizontal"),
                help="Curtains of ion milling stand upright, scan lines lie.",
            ),
            Parameter(
                "method",
                "By",
                "choice",
                "median",
                choices=("median", "fourier"),
                help="median: each whole line is shifted. fourier: stripes may fade along "
                "their length.",
            ),
            Parameter(
                "width_px", "Keep above", "int", 20, 1, 500, "px", help="Wider changes stay."
            ),
        ),
        "Removes straight stripes and keeps what varies slowly across them.",
        "Münch, Trtik, Marone, Stampanoni (2009), Optics Express 17, 8567-8591, "
        "doi:10.1364/OE.17.008567",
        uses_exclude=True,
    ),
)
