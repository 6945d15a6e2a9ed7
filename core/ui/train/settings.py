"""What a person sets on the Train page."""

from __future__ import annotations

from core.ui.parts import Choice, Setting

EACH, BY_NAME, GIVEN = "each", "name", "given"
GROUPS = Choice(
    name="train-groups",
    key="train_groups_by",
    label="What counts as one original",
    help="Pictures of one specimen or series must not stand on both sides of a test. Pictures that "
    "show the same field are one original in any case.",
    default=EACH,
    options={
        EACH: "Each picture",
        BY_NAME: "Files whose names differ in their number",
        GIVEN: "The folder or the table's group",
    },
)
SETTINGS: tuple[Setting, ...] = (GROUPS,)
