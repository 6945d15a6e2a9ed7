"""Morphology."""

from core.imaging.filtering.operations import morphology
from core.imaging.filtering.specs import FLOAT, MASK, FilterSpec, Parameter

FAMILY = "Morphology"
_DISC = (Parameter("radius_px", "Radius", "int", 2, 1, 200, "px", help="Of the disc."),)
_BOOK = "Soille (2004), Morphological Image Analysis, 2nd ed., Springer"

SPECS = (
    FilterSpec(
        "opening",
        "Open",
        FAMILY,
        morphology.opening,
        _DISC,
        "Removes bright detail smaller than a disc.",
        _BOOK,
        paints_over=True,
    ),
    FilterSpec(
        "closing",
        "Close",
        FAMILY,
        morphology.closing,
        _DISC,
        "Closes dark gaps smaller than a disc.",
        _BOOK,
        paints_over=True,
    ),
    FilterSpec(
        "erode",
        "Erode",
        FAMILY,
        morphology.erode,
        _DISC,
        "Shrinks what is bright.",
        _BOOK,
        paints_over=True,
    ),
    FilterSpec(
        "dilate",
        "Dilate",
        FAMILY,
        morphology.dilate,
        _DISC,
        "Grows what is bright.",
        _BOOK,
        paints_over=True,
    ),
    FilterSpec(
        "fill_holes",
        "Fill holes",
        FAMILY,
        morphology.fill_holes,
        help="Fills what is dark and enclosed. A grey image is cut at Otsu's threshold first.",
        reference=_BOOK,
        result=MASK,
        uses_exclude=True,
    ),
    FilterSpec(
        "remove_small",
        "Remove small regions",
        FAMILY,
        morphology.remove_small,
        (Parameter("area_px", "Smallest area", "int", 30, 1, 10_000_000, "px²"),),
        "Removes smaller regions and fills smaller holes. A grey image is cut at Otsu's threshold.",
        result=MASK,
        uses_exclude=True,
    ),
    FilterSpec(
        "clear_border",
        "Clear the border",
        FAMILY,
        morphology.clear_border,
        help="Removes regions that the frame or the info bar cuts: their size is unknown.",
        result=MASK,
        uses_exclude=True,
    ),
    FilterSpec(
        "skeleton",
        "Skeleton",
        FAMILY,
        morphology.skeleton_to_edges,
        help="Thins regions to lines of one pixel. A grey image is cut at Otsu's threshold first.",
        reference="Zhang, Suen (1984), Communications of the ACM 27, 236-239, "
        "doi:10.1145/357994.358023",
        result=MASK,
        uses_exclude=True,
        paints_over=True,
    ),
    FilterSpec(
        "distance_map",
        "Distance map",
        FAMILY,
        morphology.distance_map,
        help="Distance of bright pixels to the nearest dark one, in px.",
        reference="Maurer, Qi, Raghavan (2003), IEEE Transactions on Pattern Analysis and Machine "
        "Intelligence 25, 265-270, doi:10.1109/TPAMI.2003.1177156",
        result=FLOAT,
        uses_exclude=True,
    ),
    FilterSpec(
        "watershed_split",
        "Split touching (watershed)",
        FAMILY,
        morphology.watershed_split,
        (
            Parameter(
                "separation_px", "Separation", "int", 8, 1, 500, "px", help="Between two centres."
            ),
        ),
        "Cuts touching particles apart at their necks. A grey image is cut at Otsu's threshold.",
        "Beucher, Meyer (1993), Mathematical Morphology in Image Processing, Dekker, 433-481",
        result=MASK,
        uses_exclude=True,
        is_slow=True,
    ),
)
