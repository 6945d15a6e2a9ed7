"""How large a weight file may be, and what is said of one that cannot be read."""

from __future__ import annotations

from pathlib import Path

from core.errors import UnusableModel

MAX_WEIGHTS_MB = 800  # AlexNet with its optimiser's state has 690
MAX_HEADER_MB = 10  # of a safetensors file; 100,000 tensors need less
EXPORT = 'Export the weights alone: torch.save(model.state_dict(), "weights.pth").'
KERAS = (
    "Export it to ONNX: python -m tf2onnx.convert --saved-model FOLDER --output model.onnx, or "
    'model.export("model.onnx", format="onnx").'
)
CUT_SHORT = "The weight file is cut short or damaged; copy or export it again."


def check_size(size_bytes: int) -> None:
    """Refuse a weight file that is empty or too large to be opened.

    Raises
    ------
    UnusableModel
    """
    if size_bytes == 0:
        raise UnusableModel("The file is empty (0 bytes); copy or export it again.")
    if size_bytes > MAX_WEIGHTS_MB * 1_000_000:
        raise UnusableModel(
            f"The file has {size_bytes / 1e6:.0f} MB, a weight file may have {MAX_WEIGHTS_MB}. "
            f"{EXPORT}"
        )


def check_header(path: Path) -> None:
    """Refuse a safetensors file whose header is larger than that of any weights, or cut short.

    Raises
    ------
    UnusableModel
    OSError
    """
    with path.open("rb") as stream:
        header_bytes = int.from_bytes(stream.read(8), "little")
    if header_bytes > min(path.stat().st_size - 8, MAX_HEADER_MB * 1_000_000):
        raise UnusableModel(
            f"The file announces a header of {header_bytes / 1e6:,.0f} MB, which it cannot hold: "
            "it is cut short or damaged. Copy or export it again."
        )
