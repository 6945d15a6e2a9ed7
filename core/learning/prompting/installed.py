"""Whether prompts can be answered: the package that knows the network, and a file of weights."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from core.learning.models import models_folder

PACKAGE = "transformers"  # Apache-2.0; SamModel is its Segment Anything
FOLDER = "sam"  # beside the models
_ENDINGS = (".safetensors", ".pth", ".pt")
_PACKAGE_MISSING = (
    "A prompted network needs one more package: run “pip install 'transformers>=5,<6'” and start "
    "Micrographia again."
)
_WEIGHTS_MISSING = (
    "A prompted network needs weights: put model.safetensors of Segment Anything (ViT-B is the "
    "smallest) into the folder “sam” beside the other models."
)


def find_weights() -> Path | None:
    """Return the file of weights that a person put beside the models; None without one."""
    folder = models_folder() / FOLDER
    if not folder.is_dir():
        return None
    found = (path for path in folder.iterdir() if path.suffix in _ENDINGS and path.is_file())
    return min(found, default=None)


def has_package() -> bool:
    """Tell whether the package is there, without importing it."""
    return find_spec(PACKAGE) is not None


def how_to_get() -> str:
    """Return in a sentence what is missing before prompts can be answered; empty if nothing."""
    if not has_package():
        return _PACKAGE_MISSING
    return _WEIGHTS_MISSING if find_weights() is None else ""
