"""Edges and ridges."""

from functools import partial

from core.imaging.filtering.operations import edges
from core.imaging.filtering.specs import FLOAT, MASK, FilterSpec, Parameter

FAMILY = "Edges and ridges"


def _ridge(name: str, title: str, what: str, reference: str) -> FilterSpec:
    parameters = (
        Parameter(
            "lines", "Lines", "choice", "bright", choices=("bright", "dark"), help="On the other."
        ),
        Parameter("smallest_px", "Smallest sigma", "float", 1.0, 0.5, 20.0, "px"),
        Parameter("largest_px", "Largest sigma", "float", 4.0, 0.5, 20.0, "px"),
    )
    return FilterSpec(
        name,
        title,
        FAMILY,
        partial(edges.ridges, method=name),
        parameters,
        what,
        reference,
        result=FLOAT,
        uses_exclude=True,
        is_slow=True,
    )


SPECS = (
    FilterSpec(
        "sobel",
        "Edges (Sobel)",
        FAMILY,
        edges.sobel,
        help="Shows how steeply the grey level changes, in grey levels per pixel.",
        reference="Sobel, Feldman (1968), Stanford Artificial Intelligence Project",
        result=FLOAT,
        paints_over=True,
    ),
    FilterSpec(
        "scharr",
        "Edges (Scharr)",
        FAMILY,
        edges.scharr,
        help="As Sobel's, alike in all directions; in grey levels per pixel.",
        reference="Scharr (2000), Optimale Operatoren in der Digitalen Bildverarbeitung, "
        "Heidelberg, doi:10.11588/heidok.00000962",
        result=FLOAT,
        paints_over=True,
    ),
    FilterSpec(
        "canny",
        "Edge lines (Canny)",
        FAMILY,
        edges.canny,
        (
            Parameter("sigma_px", "Sigma", "float", 1.5, 0.5, 20.0, "px", help="Smoothing before."),
            Parameter("low_pct", "Weakest slope", "float", 1.0, 0.0, 50.0, "%/px"),
            Parameter("high_pct", "Strong slope", "float", 2.5, 0.0, 50.0, "%/px"),
        ),
        "Draws thin lines along edges; weak ones only where they continue strong ones.",
        "Canny (1986), IEEE Transactions on Pattern Analysis and Machine Intelligence 8, 679-698, "
        "doi:10.1109/TPAMI.1986.4767851",
        result=MASK,
        uses_exclude=True,
    ),
    FilterSpec(
        "laplacian_of_gaussian",
        "Blobs (Laplacian of Gaussian)",
        FAMILY,
        edges.laplacian_of_gaussian,
        (Parameter("sigma_px", "Sigma", "float", 2.0, 0.5, 30.0, "px", help="0.7 × the radius."),),
        "Shows bright blobs of one size positive and dark ones negative, in grey levels.",
        "Marr, Hildreth (1980), Proceedings of the Royal Society B 207, 187-217, "
        "doi:10.1098/rspb.1980.0020",
        result=FLOAT,
        paints_over=True,
    ),
    _ridge(
        "frangi",
        "Ridges (Frangi)",
        "Shows lines such as dislocations and grain boundaries, and not blobs.",
        "Frangi et al. (1998), MICCAI, 130-137, doi:10.1007/BFb0056195",
    ),
    _ridge(
        "sato",
        "Ridges (Sato)",
        "Shows lines by their curvature; keeps branch points better than Frangi's.",
        "Sato et al. (1998), Medical Image Analysis 2, 143-168, doi:10.1016/S1361-8415(98)80009-1",
    ),
    _ridge(
        "meijering",
        "Ridges (Meijering)",
        "Shows thin faint lines (made for neurites).",
        "Meijering et al. (2004), Cytometry 58A, 167-176, doi:10.1002/cyto.a.20022",
    ),
)
