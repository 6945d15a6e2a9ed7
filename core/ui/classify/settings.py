"""What a person sets on the Classify page."""

from __future__ import annotations

from core.ui.parts import Setting, Switch, Whole

LEVEL = Whole(
    name="level",
    key="classify_level",
    label="Level of the prediction set (%)",
    help="How often the set of classes that cannot be excluded shall hold the true class, for "
    "micrographs like those the network learnt from. A higher level keeps more classes.",
    default=None,  # the level of the model's card
    low=50,
    high=99,
    recipe="conformal_level",
    to_recipe=lambda percent: percent / 100,
)
TILE_MAP = Switch(
    name="tile-map",
    key="classify_tiles",
    label="Tile map",
    help="Classifies every tile of the frame by itself. For frames that show more than one "
    "morphology, or far more of it than the training micrographs did.",
)
ALL = Switch(name="all", key="classify_all")
SETTINGS: tuple[Setting, ...] = (LEVEL, TILE_MAP, ALL)
