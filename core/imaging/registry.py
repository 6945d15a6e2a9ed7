"""The filters a person can choose: their names, settings, ranges and functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging import operations
from core.imaging.texture import ANGLES_DEG, PROPERTIES

SAME, FLOAT, MASK = "same depth", "32-bit float", "8-bit mask"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a filter: what it is called, and which values it takes.

    `kind` is "int", "odd" (an odd int), "float" or "choice". Numbers lie in low..high, both
    included; a choice is one of `choices`.
    """

    name: str
    title: str
    kind: str
    default: Any
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    choices: tuple[Any, ...] = ()
    help: str = ""

    def check(self, value: Any) -> Any:
        """Return the value in its own type, or raise a UserError that says what is wanted."""
        if self.kind == "choice":
            if any(type(value) is type(choice) and value == choice for choice in self.choices):
                return value
            raise self._refusal("one of " + ", ".join(map(str, self.choices)), value)
        wanted = {"int": "a whole number", "odd": "an odd whole number", "float": "a number"}
        span = f"{wanted[self.kind]} from {self.low:g} to {self.high:g}"
        fits = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if self.kind == "float":
            fits = fits or isinstance(value, float | np.floating)
        # Comparing before converting refuses NaN and integers too long for a float.
        if not fits or not self.low <= value <= self.high:
            raise self._refusal(span, value)
        if self.kind == "odd" and value % 2 == 0:
            raise self._refusal(span, value)
        return float(value) if self.kind == "float" else int(value)

    def _refusal(self, wanted: str, value: Any) -> UserError:
        shown = repr(value) if len(repr(value)) <= 40 else repr(value)[:40] + "…"
        return UserError(f"The setting {self.name} must be {wanted}, but it is {shown}. Change it.")


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """One filter: its names for code and for people, its settings, and its function.

    `result` says what depth comes out; `uses_exclude` whether excluded pixels change the result.
    """

    name: str
    title: str
    family: str
    function: Callable[..., NDArray[Any]]
    parameters: tuple[Parameter, ...] = ()
    help: str = ""
    reference: str = ""
    result: str = SAME
    uses_exclude: bool = False

    def complete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return checked settings in the filter's order, with defaults for those not given."""
        known = {parameter.name for parameter in self.parameters}
        for name in parameters:
            if name not in known:
                takes = ", ".join(p.name for p in self.parameters) or "no settings"
                raise UserError(
                    f"The filter {self.name} has no setting called {str(name)[:40]!r}; "
                    f"it takes {takes}. Remove or rename it."
                )
        return {p.name: p.check(parameters.get(p.name, p.default)) for p in self.parameters}


_SIGMA_PX = Parameter("sigma_px", "Sigma", "float", 1.5, 0.0, 50.0, "px", help="Width of the blur.")

_SPECS = (
    FilterSpec(
        "gaussian",
        "Gaussian",
        "Smooth",
        operations.gaussian,
        (_SIGMA_PX,),
        "Evens out noise, and blurs edges with it.",
    ),
    FilterSpec(
        "median",
        "Median",
        "Smooth",
        operations.median,
        (
            Parameter(
                "size_px",
                "Window",
                "odd",
                3,
                3,
                15,
                "px",
                help="Edge of the square; above 5 px, 16-bit and float images take seconds.",
            ),
        ),
        "Removes single bright or dark pixels and keeps edges.",
        "Tukey (1977), Exploratory Data Analysis, Addison-Wesley",
    ),
    FilterSpec(
        "bilateral",
        "Bilateral",
        "Smooth",
        operations.bilateral,
        (
            Parameter("sigma_px", "Sigma in space", "float", 2.0, 0.5, 10.0, "px"),
            Parameter(
                "sigma_grey_pct",
                "Sigma in grey",
                "float",
                10.0,
                0.5,
                100.0,
                "%",
                help="Share of the image's grey range; smaller keeps fainter edges.",
            ),
        ),
        "Evens out noise inside regions and leaves their edges sharp.",
        "Tomasi, Manduchi (1998), ICCV, 839-846, doi:10.1109/ICCV.1998.710815",
        uses_exclude=True,
    ),
    FilterSpec(
        "stretch",
        "Percentile stretch",
        "Contrast",
        operations.stretch,
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
        "Contrast",
        operations.clahe,
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
        "gamma",
        "Gamma",
        "Contrast",
        operations.gamma,
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
        "invert",
        "Invert",
        "Contrast",
        operations.invert,
        help="Swaps dark and bright.",
        uses_exclude=True,
    ),
    FilterSpec(
        "white_tophat",
        "White top-hat",
        "Background",
        operations.white_tophat,
        (Parameter("radius_px", "Radius", "int", 12, 1, 50, "px", help="Wider than the detail."),),
        "Keeps bright detail smaller than a disc; removes uneven background.",
        "Meyer (1979), Journal of Histochemistry and Cytochemistry 27, 128-135, "
        "doi:10.1177/27.1.438499",
    ),
    FilterSpec(
        "sobel",
        "Edges (Sobel)",
        "Edges",
        operations.sobel,
        help="Shows how steeply the grey level changes, in grey levels per pixel.",
        reference="Sobel, Feldman (1968), Stanford Artificial Intelligence Project",
        result=FLOAT,
    ),
    FilterSpec(
        "otsu",
        "Otsu threshold",
        "Segment",
        operations.otsu,
        help="Parts bright from dark at the level that leaves least variance within both.",
        reference="Otsu (1979), IEEE Transactions on Systems, Man, and Cybernetics 9, 62-66, "
        "doi:10.1109/TSMC.1979.4310076",
        result=MASK,
        uses_exclude=True,
    ),
    FilterSpec(
        "glcm_texture",
        "Texture (GLCM)",
        "Texture",
        operations.glcm_texture,
        (
            Parameter("prop", "Property", "choice", "contrast", choices=tuple(PROPERTIES)),
            Parameter("window_px", "Window", "odd", 5, 3, 101, "px"),
            Parameter(
                "levels",
                "Grey levels",
                "int",
                2,
                2,
                32,
                help="2 measures the texture of Otsu's mask; more use equal steps of grey.",
            ),
            Parameter("distance_px", "Pair distance", "int", 1, 1, 50, "px"),
            Parameter("angle_deg", "Direction", "choice", 0, unit="°", choices=ANGLES_DEG),
        ),
        "Maps how neighbouring greys go together in a window around each pixel.",
        "Haralick, Shanmugam, Dinstein (1973), IEEE Transactions on Systems, Man, and Cybernetics "
        "SMC-3, 610-621, doi:10.1109/TSMC.1973.4309314",
        result=FLOAT,
        uses_exclude=True,
    ),
)

FILTERS: dict[str, FilterSpec] = {spec.name: spec for spec in _SPECS}
