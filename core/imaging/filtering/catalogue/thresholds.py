"""Thresholds."""

from collections.abc import Callable
from typing import Any

from core.imaging.filtering.operations import thresholds
from core.imaging.filtering.specs import CLASSES, MASK, FilterSpec, Parameter

FAMILY = "Thresholds"
_WINDOW = Parameter("window_px", "Window", "odd", 51, 3, 501, "px", help="Wider than the detail.")


def _global(
    name: str, title: str, levels: Callable[..., Any], what: str, reference: str, **more: Any
) -> FilterSpec:
    more = {"function": thresholds.above, "result": MASK, **more}
    return FilterSpec(
        name,
        title,
        FAMILY,
        levels=levels,
        help=what,
        reference=reference,
        uses_exclude=True,
        **more,
    )


SPECS = (
    _global(
        "otsu",
        "Otsu threshold",
        thresholds.otsu_levels,
        "Parts bright from dark at the level that leaves least variance within both.",
        "Otsu (1979), IEEE Transactions on Systems, Man, and Cybernetics 9, 62-66, "
        "doi:10.1109/TSMC.1979.4310076",
    ),
    _global(
        "multi_otsu",
        "Otsu, several classes",
        thresholds.multi_otsu_levels,
        "Parts the greys into classes that leave least variance within.",
        "Liao, Chen, Chung (2001), Journal of Information Science and Engineering 17, 713-727",
        function=thresholds.classes_between,
        result=CLASSES,
        parameters=(Parameter("classes", "Classes", "int", 3, 2, 5),),
    ),
    _global(
        "li",
        "Li threshold",
        thresholds.li_levels,
        "Least cross-entropy between the image and its two classes; good for few bright objects.",
        "Li, Tam (1998), Pattern Recognition Letters 19, 771-776, "
        "doi:10.1016/S0167-8655(98)00057-9",
    ),
    _global(
        "triangle",
        "Triangle threshold",
        thresholds.triangle_levels,
        "Where the histogram bends away from its peak; for one large peak and a weak tail.",
        "Zack, Rogers, Latt (1977), Journal of Histochemistry and Cytochemistry 25, 741-753, "
        "doi:10.1177/25.7.70454",
    ),
    _global(
        "yen",
        "Yen threshold",
        thresholds.yen_levels,
        "Most correlated classes; tends to a high level.",
        "Yen, Chang, Chang (1995), IEEE Transactions on Image Processing 4, 370-378, "
        "doi:10.1109/83.366472",
    ),
    _global(
        "isodata",
        "Isodata threshold",
        thresholds.isodata_levels,
        "Halfway between the means of what it parts; ImageJ's default is a variant of it.",
        "Ridler, Calvard (1978), IEEE Transactions on Systems, Man, and Cybernetics 8, 630-632, "
        "doi:10.1109/TSMC.1978.4310039",
    ),
    _global(
        "minimum",
        "Minimum threshold",
        thresholds.minimum_levels,
        "The valley between two peaks of the smoothed histogram.",
        "Prewitt, Mendelsohn (1966), Annals of the New York Academy of Sciences 128, 1035-1053, "
        "doi:10.1111/j.1749-6632.1965.tb11715.x",
    ),
    _global(
        "fixed",
        "Fixed threshold",
        thresholds.fixed_levels,
        "A grey level that you choose, the same for every image.",
        "",
        parameters=(Parameter("level", "Level", "float", 128.0, -1e9, 1e9, "grey level"),),
    ),
    _global(
        "hysteresis",
        "Hysteresis threshold",
        thresholds.percentile_levels,
        "What is above the lower level and touches what is above the higher one.",
        "Canny (1986), IEEE Transactions on Pattern Analysis and Machine Intelligence 8, 679-698, "
        "doi:10.1109/TPAMI.1986.4767851",
        function=thresholds.connected_above,
        parameters=(
            Parameter("low_pct", "Lower level", "float", 80.0, 0.0, 100.0, "% of pixels"),
            Parameter("high_pct", "Higher level", "float", 95.0, 0.0, 100.0, "% of pixels"),
        ),
    ),
    _global(
        "local_mean",
        "Adaptive threshold",
        thresholds.local_mean_levels,
        "Brighter than the mean around; for uneven illumination.",
        "Gonzalez, Woods (2018), Digital Image Processing, 4th ed., Pearson, section 10.3",
        function=thresholds.local_mean,
        parameters=(
            _WINDOW,
            Parameter(
                "offset",
                "Offset",
                "float",
                0.0,
                -1e6,
                1e6,
                "grey levels",
                help="Taken from the mean: more makes more bright.",
            ),
            Parameter("weights", "Weights", "choice", "gaussian", choices=("gaussian", "equal")),
        ),
    ),
    _global(
        "niblack",
        "Niblack threshold",
        thresholds.niblack_levels,
        "Local mean minus k times the local deviation.",
        "Niblack (1986), An Introduction to Digital Image Processing, Prentice-Hall, 115-116",
        function=thresholds.niblack,
        parameters=(_WINDOW, Parameter("k", "k", "float", 0.2, -5.0, 5.0)),
    ),
    _global(
        "sauvola",
        "Sauvola threshold",
        thresholds.sauvola_levels,
        "Niblack's, calmer where there is little contrast; made for dark on bright.",
        "Sauvola, Pietikäinen (2000), Pattern Recognition 33, 225-236, "
        "doi:10.1016/S0031-3203(99)00055-2",
        function=thresholds.sauvola,
        parameters=(_WINDOW, Parameter("k", "k", "float", 0.2, -5.0, 5.0)),
    ),
)
