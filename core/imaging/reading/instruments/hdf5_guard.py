"""What an HDF5 file may hold: only itself.

The format can name other files: as links, as the place of an array's values, as parts of a virtual
array. A hostile file could have ours read that way, so any of these is refused.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from core.errors import UnreadableMicrograph

_MAX_OBJECTS = 20_000
_FOREIGN = "The file refers to other files, which is not read here; export the image on its own."
_COMPRESSIONS = (None, "gzip", "lzf", "szip")


def check_hdf5(path: Path) -> None:
    """Refuse a file that points outside itself or is too intricate.

    Raises
    ------
    UnreadableMicrograph
        If it does, or needs a filter that comes from elsewhere.
    """
    h5py: Any = importlib.import_module("h5py")
    with h5py.File(path, "r") as file:
        waiting, seen = [file], 0
        addresses: set[int] = set()
        while waiting:
            group = waiting.pop()
            for name in group:
                seen += 1
                if seen > _MAX_OBJECTS:
                    raise UnreadableMicrograph("The file is too intricate; export the image alone.")
                link = group.get(name, getlink=True)
                if isinstance(link, h5py.SoftLink):
                    continue  # its target is seen where it lies
                if not isinstance(link, h5py.HardLink):
                    raise UnreadableMicrograph(_FOREIGN)
                member = group[name]
                if isinstance(member, h5py.Dataset):
                    _check_dataset(member)
                elif isinstance(member, h5py.Group):
                    address = int(h5py.h5o.get_info(member.id).addr)
                    if address not in addresses:
                        addresses.add(address)
                        waiting.append(member)


def _check_dataset(dataset: Any) -> None:
    if dataset.external or dataset.is_virtual:
        raise UnreadableMicrograph(_FOREIGN)
    if dataset.compression not in _COMPRESSIONS:
        raise UnreadableMicrograph(
            "The image is compressed in a way that is not read here; export it as TIFF."
        )
