"""What a person sets on the Filters page; the chain itself is kept by the shell."""

from __future__ import annotations

from core.ui.parts import Choice, Setting

SLIDER, ZOOM, LINE, SPECTRUM = "Slider", "Linked zoom", "Line profile", "Spectrum"

VIEW = Choice(
    name="view",
    key="filters_view",
    label="View",
    default=SLIDER,
    options={mode: mode for mode in (SLIDER, ZOOM, LINE, SPECTRUM)},
    in_row=True,
    required=True,
    is_labelled=False,
)
SETTINGS: tuple[Setting, ...] = (VIEW,)
