"""The registry: every filter by its name, in the order in which people look for them."""

from __future__ import annotations

from core.imaging.filtering.catalogue import (
    background,
    contrast,
    denoise,
    edges,
    frequency,
    morphology,
    textures,
    thresholds,
)
from core.imaging.filtering.specs import CLASSES as CLASSES
from core.imaging.filtering.specs import FLOAT as FLOAT
from core.imaging.filtering.specs import MASK as MASK
from core.imaging.filtering.specs import SAME as SAME
from core.imaging.filtering.specs import FilterSpec as FilterSpec
from core.imaging.filtering.specs import Parameter as Parameter

_FAMILIES = (
    contrast,
    denoise,
    background,
    edges,
    thresholds,
    morphology,
    frequency,
    textures,
)

FILTERS: dict[str, FilterSpec] = {spec.name: spec for family in _FAMILIES for spec in family.SPECS}
FAMILIES: tuple[str, ...] = tuple(family.FAMILY for family in _FAMILIES)
