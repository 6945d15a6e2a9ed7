"""Where the pixel sizes of a batch are from, in words."""

from __future__ import annotations

from core.reporting.recipe import FROM_FILE, FROM_PICTURE, Recipe

_MOST = 12  # samples that are told one by one
_BRIEFLY = {
    FROM_FILE: "from the files, or set by hand",
    FROM_PICTURE: "from the files, set by hand, or read from the picture",
}


def describe(recipe: Recipe) -> str:
    """Return sentences for a report, as plain text."""
    if recipe.pixel_size_from == FROM_FILE:
        said = "Pixel sizes are those that the files state or that were set by hand."
    elif recipe.pixel_size_from == FROM_PICTURE:
        said = (
            "Where a file states no pixel size, the scale bar and the length written beside it "
            "were read, and used if two ways of finding them agreed within 3 %."
        )
    else:
        said = f"Every micrograph was given a pixel size of {recipe.pixel_size_from}."
    if not recipe.pixel_sizes:
        return said
    return f"{said} The recipe states those of the samples {_of_samples(recipe)}."


def describe_briefly(recipe: Recipe) -> str:
    """Return a few words, as plain text: "from the files, or set by hand; AgC 2.5 nm"."""
    rule = _BRIEFLY.get(recipe.pixel_size_from, f"{recipe.pixel_size_from} for all")
    return f"{rule}; {_of_samples(recipe)}" if recipe.pixel_sizes else rule


def _of_samples(recipe: Recipe) -> str:
    told = [f"{sample} ({size})" for sample, size in recipe.pixel_sizes[:_MOST]]
    left = len(recipe.pixel_sizes) - _MOST
    return ", ".join([*told, *([f"{left} more"] if left > 0 else [])])
