"""Frequency."""

from core.imaging.filtering.operations import frequency
from core.imaging.filtering.specs import FLOAT, FilterSpec, Parameter

FAMILY = "Frequency"
_SMALLEST = Parameter("smallest_px", "Remove below", "float", 4.0, 2.0, 1e4, "px", help="Period.")
_LARGEST = Parameter("largest_px", "Remove above", "float", 60.0, 2.0, 1e5, "px", help="Period.")

SPECS = (
    FilterSpec(
        "low_pass",
        "Low-pass",
        FAMILY,
        frequency.low_pass,
        (_SMALLEST,),
        "Removes structure smaller than a size. Gaussian edge: half the amplitude there.",
        paints_over=True,
    ),
    FilterSpec(
        "high_pass",
        "High-pass",
        FAMILY,
        frequency.high_pass,
        (_LARGEST,),
        "Removes structure larger than a size; the mean grey level stays.",
        paints_over=True,
    ),
    FilterSpec(
        "band_pass",
        "Band-pass",
        FAMILY,
        frequency.band_pass,
        (_SMALLEST, _LARGEST),
        "Keeps structure between two sizes, and the mean grey level.",
        paints_over=True,
    ),
    FilterSpec(
        "notch",
        "Notch",
        FAMILY,
        frequency.notch,
        (
            Parameter(
                "spots",
                "Spots",
                "spots",
                (),
                unit="1/px",
                help="Frequencies (down, right). Click on spots of the spectrum to set them.",
            ),
            Parameter("radius_per_px", "Radius", "float", 0.01, 0.001, 0.2, "1/px"),
        ),
        "Takes spots of the spectrum out, and with them periodic patterns such as mains hum.",
        paints_over=True,
    ),
    FilterSpec(
        "power_spectrum",
        "Power spectrum (FFT)",
        FAMILY,
        frequency.power_spectrum,
        (
            Parameter(
                "taper",
                "Window",
                "choice",
                "hann",
                choices=("hann", "none"),
                help="hann fades the image out at its edges and removes the cross they leave.",
            ),
        ),
        "Shows how strong each frequency is (log10 of the power); 0 is in the middle.",
        "Harris (1978), Proceedings of the IEEE 66, 51-83, doi:10.1109/PROC.1978.10837",
        result=FLOAT,
        uses_exclude=True,
        reciprocal=True,
    ),
)
