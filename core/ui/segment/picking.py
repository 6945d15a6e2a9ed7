"""The object that is chosen in the picture or in the table: marked in both."""

from __future__ import annotations

from core.ui.parts import tables

OBJECTS = tables.Picked("segment_objects", "segment_chosen", "segment_turn", "segment_chosen_of")
