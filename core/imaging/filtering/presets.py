"""Chains of filters to start from."""

from __future__ import annotations

from dataclasses import dataclass

from core.imaging.filtering.pipeline import Step


@dataclass(frozen=True, slots=True)
class Preset:
    """A chain with a name and the reason for it."""

    name: str
    help: str
    steps: tuple[Step, ...]


PRESETS = (
    Preset(
        "SEM cleaning",
        "Hot pixels, scan lines, uneven brightness and noise; then the full grey range.",
        (
            Step("hot_pixels"),
            Step("destripe", {"stripes": "horizontal", "method": "median", "width_px": 4}),
            Step("subtract_gaussian", {"sigma_px": 120}),
            Step("gaussian", {"sigma_px": 0.8}),
            Step("stretch"),
        ),
    ),
    Preset(
        "Visual-CCC analysis",
        "Otsu's mask and the co-occurrence contrast of its surroundings, 5 × 5 px, 0°.",
        (Step("otsu"), Step("glcm_texture")),
    ),
    Preset(
        "TEM lattice",
        "Keeps periods of lattice fringes, between noise and thickness contrast.",
        (
            Step("hot_pixels"),
            Step("band_pass", {"smallest_px": 4, "largest_px": 40}),
            Step("stretch"),
        ),
    ),
    Preset(
        "Particles",
        "A mask of bright particles, touching ones split; invert first for dark ones.",
        (
            Step("median", {"size_px": 3}),
            Step("subtract_gaussian", {"sigma_px": 200}),
            Step("otsu"),
            Step("opening", {"radius_px": 2}),
            Step("fill_holes"),
            Step("remove_small", {"area_px": 50}),
            Step("watershed_split", {"separation_px": 12}),
        ),
    ),
)
