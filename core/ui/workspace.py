"""What this person has loaded and chosen; it outlives a change of page.

All of it lives in the session under plain keys, since what a widget holds dies with its page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import streamlit as st

from core.errors import UserError
from core.imaging.reading import read_micrograph
from core.imaging.simulate import KINDS, simulate
from core.micrograph import Micrograph, PixelSize

MOST_BYTES = 512 * 2**20
SAMPLE_SHAPE = (768, 1024)
BY_HAND = "set by hand"

_MICROGRAPHS = "workspace_micrographs"  # sha256 of the file -> Micrograph, in order of loading
_CURRENT = "workspace_current"
_SIMULATED = "workspace_simulated"  # sha256 of those that were simulated here


class NamedFile(Protocol):
    """An uploaded file: a name and its bytes."""

    @property
    def name(self) -> str:
        """File name as the person sees it."""

    def getvalue(self) -> bytes:
        """Return the whole content."""


class AlreadyLoadedError(UserError):
    """The same content is in the workspace already; nothing is lost by not adding it."""


def add(files: Iterable[NamedFile]) -> list[UserError]:
    """Load files, make the first new one current, and return one error per file that was not added.

    Each file stands alone: what is wrong with one of them costs nothing of the others.
    """
    problems: list[UserError] = []
    loaded: list[str] = []
    for file in files:
        try:
            loaded.append(_keep(read_micrograph(file.getvalue(), file.name)))
        except UserError as error:
            problems.append(type(error)(f"{file.name}: {error}"))
    if loaded:
        select(loaded[0])
    return problems


def add_sample(kind: str, seed: int = 0) -> None:
    """Load a simulated micrograph and make it current.

    Raises
    ------
    ValueError
        If there is no such kind.
    UserError
        If there is no room left.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}, got {kind!r}")
    micrograph = simulate(kind, shape=SAMPLE_SHAPE, seed=seed).micrograph
    sha256 = _keep(replace(micrograph, name=sample_name(kind, seed)))
    st.session_state.setdefault(_SIMULATED, set()).add(sha256)
    select(sha256)


def sample_name(kind: str, seed: int) -> str:
    """Return what a sample is called: it always says that it is simulated."""
    return f"simulated {kind.replace('_', ' & ')} {seed + 1}"


def every() -> list[Micrograph]:
    """Return all loaded micrographs, in the order of loading."""
    return list(_store().values())


def current() -> Micrograph | None:
    """Return the chosen micrograph; None when nothing is loaded."""
    store = _store()
    if not store:
        return None
    return store.get(st.session_state.get(_CURRENT, ""), next(iter(store.values())))


def select(sha256: str) -> None:
    """Make a loaded micrograph the current one."""
    st.session_state[_CURRENT] = sha256


def remove(sha256: str) -> None:
    """Forget one micrograph."""
    _store().pop(sha256, None)


def clear() -> None:
    """Forget all micrographs."""
    _store().clear()


def used_bytes() -> int:
    """Return how much memory the loaded pixels take."""
    return sum(micrograph.pixels.nbytes for micrograph in _store().values())


def is_simulated(micrograph: Micrograph) -> bool:
    """Tell whether a micrograph was simulated here and not recorded by a microscope."""
    return micrograph.sha256 in st.session_state.get(_SIMULATED, ())


def set_pixel_size(sha256: str, nm_per_px: float | None) -> None:
    """Give a micrograph without a pixel size one by hand, or take it away again (None)."""
    micrograph = _store()[sha256]
    size = None if not nm_per_px else PixelSize(nm_per_px, "nm")
    metadata = {**micrograph.metadata, "pixel_size_source": BY_HAND if size else ""}
    _store()[sha256] = replace(micrograph, pixel_size=size, metadata=metadata)


def has_own_scale(micrograph: Micrograph) -> bool:
    """Tell whether the pixel size came with the file."""
    by_hand = micrograph.metadata.get("pixel_size_source") == BY_HAND
    return micrograph.pixel_size is not None and not by_hand


def describe(micrograph: Micrograph) -> str:
    """Return size, depth and scale in one line: "1024 × 768 px · 8-bit · 2.5 nm/px"."""
    height, width = micrograph.shape
    scale = str(micrograph.pixel_size) if micrograph.pixel_size else "no pixel size"
    if micrograph.pixel_size and not has_own_scale(micrograph):
        scale += f" ({BY_HAND})"
    frames = micrograph.metadata.get("frames", 1)
    frame = f" · frame {micrograph.metadata.get('frame', 0) + 1} of {frames}" if frames > 1 else ""
    return f"{width} × {height} px · {micrograph.depth} · {scale}{frame}"


def short_names(micrographs: Sequence[Micrograph]) -> dict[str, str]:
    """Return a label per digest; equal names get a number, so that no two labels are equal."""
    labels: dict[str, str] = {}
    for micrograph in micrographs:
        label, count = micrograph.name, 1
        while label in labels.values():
            count += 1
            label = f"{micrograph.name} ({count})"
        labels[micrograph.sha256] = label
    return labels


def _store() -> dict[str, Micrograph]:
    store: dict[str, Micrograph] = st.session_state.setdefault(_MICROGRAPHS, {})
    return store


def _keep(micrograph: Micrograph) -> str:
    """Store a micrograph unless its content is there already; return its digest."""
    store = _store()
    if micrograph.sha256 in store:
        raise AlreadyLoadedError(f"already loaded, as {store[micrograph.sha256].name}.")
    if used_bytes() + micrograph.pixels.nbytes > MOST_BYTES:
        raise UserError(
            f"There is no room for it: a session holds {MOST_BYTES // 2**20} MB of pixels. "
            "Remove micrographs that you no longer need, then load this one again."
        )
    store[micrograph.sha256] = micrograph
    return micrograph.sha256
