"""Which program wrote an HDF5 file: told from its groups, so that a sound one is named as such."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from core.errors import UnreadableMicrograph

_UNKNOWN = (
    "The file is a sound HDF5 file of a kind that is not read here (read are EMD, HyperSpy, "
    "NeXus, Oxford, Delmic and Gatan DM5); export the picture as TIFF."
)
_MOST_OBJECTS = 2000  # looked at in search of a sign


def hdf5_kind(path: Path) -> str:
    """Return "emd", "hspy", "h5oina", "delmic", "dm5" or "nexus".

    Raises
    ------
    UnreadableMicrograph
        If it is HDF5 of another kind.
    """
    h5py: Any = importlib.import_module("h5py")
    with h5py.File(path, "r") as file:
        names = set(file)
        program = text(file.attrs.get("file_format", "")).lower()
        if program == "hyperspy" or "Experiments" in names:
            return "hspy"
        if any(name.startswith("Acquisition") and "ImageData" in file[name] for name in names):
            return "delmic"
        if "ImageList" in names:
            return "dm5"
        if any(_is_oxford(file, name) for name in names):
            return "h5oina"
        if ("Version" in names and "Data" in names) or "version_major" in file.attrs:
            return "emd"
        signs = _signs(file, h5py)
        if "emd_group_type" in signs:
            return "emd"
        if "NX_class" in signs:
            return "nexus"
    raise UnreadableMicrograph(_UNKNOWN)


def is_prismatic(path: Path) -> bool:
    """Tell a simulation by Prismatic, which labels its ångström as nm."""
    h5py: Any = importlib.import_module("h5py")
    with h5py.File(path, "r") as file:
        return "4DSTEM_simulation" in file


def text(value: object) -> str:
    """Return a text attribute, which may come as bytes or in an array of one."""
    if hasattr(value, "ravel") and getattr(value, "size", 0) == 1:
        value = value.ravel()[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _is_oxford(file: Any, name: str) -> bool:
    """Oxford numbers its slices and has "Electron Image", "EDS" or "EBSD" in each."""
    slices: Any = file[name] if name.isdigit() else {}
    kinds = ("Electron Image", "EDS", "EBSD")
    return hasattr(slices, "keys") and any(kind in slices for kind in kinds)


def _signs(file: Any, h5py: Any) -> set[str]:
    """Return which telling attributes the first groups have."""
    found: set[str] = set(file.attrs)
    waiting, seen = [file], 0
    while waiting and seen < _MOST_OBJECTS:
        group = waiting.pop(0)
        for name in group:
            seen += 1
            member = group.get(name)
            if isinstance(member, h5py.Group) and seen < _MOST_OBJECTS:
                found |= set(member.attrs)
                waiting.append(member)
    return found
