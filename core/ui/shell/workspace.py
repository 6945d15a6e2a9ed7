"""What this person has loaded and chosen; it outlives a change of page.

All of it lives in the session under plain keys, since what a widget holds dies with its page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Protocol

import streamlit as st

from core.errors import UserError
from core.imaging import overlays
from core.imaging.overlays import OverlayChoice, overlay_choice, with_overlay_choice
from core.imaging.reading import uploads
from core.imaging.scale import words
from core.imaging.simulation import KINDS, sample_micrograph
from core.micrograph import Micrograph, PixelSize
from core.ui.shell.work.shelves import Shelf, make_room

MOST_BYTES = 512 * 2**20

BATCH_KEPT = "workspace_batch_kept"  # key of a finished batch, for the address
BATCH_WANTED = "workspace_batch_wanted"  # key that an address named, until the batch is looked at
CLEARED = "workspace_cleared"  # a Shelf: what “Clear all” took away, until something is loaded
NAMED_SAMPLES = "workspace_samples"  # digest -> sample, as a person said
MICROGRAPHS = "workspace_micrographs"  # a Shelf: sha256 of the file -> Micrograph
CURRENT = "workspace_current"
STEPS = "workspace_scale_steps"  # digest -> pixel size and source before, one dict per step
SETTLED = "workspace_scale_settled"  # digests whose scale a person or this app has decided
_MOST_STEPS = 50
SIMULATED = "workspace_simulated"  # sha256 of those that were simulated here -> kind, seed

Progress = Callable[[int, int, Micrograph | None, str], None]


class NamedFile(Protocol):
    """An uploaded file: a name and its bytes."""

    @property
    def name(self) -> str:
        """File name as the person sees it."""

    def getvalue(self) -> bytes:
        """Return the whole content."""


class AlreadyLoadedError(UserError):
    """The same content is in the workspace already; nothing is lost by not adding it.

    `sha256` is the digest of what is loaded.
    """

    def __init__(self, message: str, sha256: str = "") -> None:
        super().__init__(message)
        self.sha256 = sha256


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """A file kept for its other frames."""

    given: uploads.Given
    labels: tuple[str, ...]
    first: str  # digest of its first frame: known however often the frame is changed

    @property
    def bytes_held(self) -> int:
        """How much memory it takes."""
        return self.given.bytes_held


def add(files: Iterable[NamedFile], on_progress: Progress | None = None) -> list[UserError]:
    """Load files, make the first new one current, and return one error per file that was not added.

    Archives stand for what is in them. Each file stands alone: what is wrong with one of them
    costs nothing of the others.

    Parameters
    ----------
    files : iterable of NamedFile
    on_progress : callable, optional
        Called after each file as on_progress(done, total, micrograph or None, name).
    """
    contents = [(file.name, file.getvalue()) for file in files]
    total = uploads.count(contents)
    problems: list[UserError] = []
    loaded: list[str] = []
    for done, item in enumerate(uploads.unpack(contents), start=1):
        micrograph = None
        try:
            micrograph = _add_one(item)
            loaded.append(micrograph.sha256)
        except UserError as error:
            problems.append(type(error)(f"{item.name}: {error}"))
        if on_progress is not None:
            on_progress(done, max(total, done), micrograph, item.name)
    if loaded:
        select(loaded[0])
    return problems


def take(item: uploads.Given | uploads.Refused) -> str:
    """Load one file; return the digest of its micrograph, which may have been loaded before.

    Raises
    ------
    UserError
        If it cannot be read, or there is no room for it.
    """
    try:
        return _add_one(item).sha256
    except AlreadyLoadedError as error:
        return error.sha256


def _add_one(item: uploads.Given | uploads.Refused) -> Micrograph:
    if isinstance(item, uploads.Refused):
        raise item.error
    micrograph = item.read()
    for sha256, file in _files().items():
        if file.first == micrograph.sha256:
            raise AlreadyLoadedError(f"already loaded, as {_store()[sha256].name}.", sha256)
    several = micrograph.metadata.get("frames", 1) > 1
    _keep(micrograph, item.bytes_held if several else 0)
    if several:
        labels = tuple(item.labels())
        _files()[micrograph.sha256] = _File(item, labels, micrograph.sha256)
    return micrograph


def frame_labels(micrograph: Micrograph) -> tuple[str, ...]:
    """Return a name for each frame of the micrograph's file; empty when there is one only."""
    file = _files().get(micrograph.sha256)
    return file.labels if file else ()


def choose_frame(micrograph: Micrograph, frame: int) -> None:
    """Put another frame of the same file in this one's place.

    A pixel size or a correction given by hand stays when the frames are of one size and the file
    says nothing better.

    Raises
    ------
    UserError
        If that frame cannot be read; the one before then stays.
    """
    sha256 = micrograph.sha256
    file = _files()[sha256]
    new = own = file.given.read(frame)
    if new.shape == micrograph.shape:
        new = with_overlay_choice(new, overlay_choice(micrograph))
        if words.is_set_by_hand(micrograph) and micrograph.pixel_size and not new.pixel_size:
            new = words.set_pixel_size(new, micrograph.pixel_size)
    others = [(new.sha256, new) if key == sha256 else (key, m) for key, m in _store().items()]
    _store().forget(sha256)
    _store().clear()
    _store().update(others)
    _files()[new.sha256] = file
    if new is not own:
        _own()[new.sha256] = own
    select(new.sha256)


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
    micrograph = sample_micrograph(kind, seed).micrograph
    sha256 = _keep(replace(micrograph, name=sample_name(kind, seed)))
    st.session_state.setdefault(SIMULATED, {})[sha256] = kind, seed
    select(sha256)


def add_result(micrograph: Micrograph) -> None:
    """Load what was made of a loaded micrograph, under a name of its own, and make it current.

    Raises
    ------
    UserError
        If there is no room left.
    """
    if micrograph.sha256 not in _store():
        _keep(replace(micrograph, name=f"{micrograph.name} (filtered)"))
    select(micrograph.sha256)


def add_opened(micrograph: Micrograph) -> str:
    """Load a micrograph that was opened from a study; return its digest.

    Raises
    ------
    UserError
        If there is no room left.
    """
    try:
        sha256 = _keep(micrograph)
    except AlreadyLoadedError as error:
        return error.sha256
    if words.given_later(micrograph):
        st.session_state.setdefault(SETTLED, set()).add(sha256)
    return sha256


def take_away() -> None:
    """Forget all micrographs; `bring_back` loads them again, until others are loaded."""
    st.session_state[CLEARED] = _store().copied()
    clear()


def cleared() -> int:
    """Return how many micrographs can be brought back."""
    return len(st.session_state.get(CLEARED) or ())


def bring_back() -> None:
    """Load again what was cleared last, with all that was set for it."""
    before: Shelf[_File] | None = st.session_state.pop(CLEARED, None)
    if before:
        st.session_state[MICROGRAPHS] = before
        before.touch()


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
    return store.get(st.session_state.get(CURRENT, ""), next(iter(store.values())))


def select(sha256: str) -> None:
    """Make a loaded micrograph the current one."""
    st.session_state[CURRENT] = sha256


def remove(sha256: str) -> None:
    """Forget one micrograph; its neighbour becomes the current one."""
    digests = list(_store())
    if st.session_state.get(CURRENT) == sha256 and len(digests) > 1:
        place = digests.index(sha256)
        select(digests[place + 1] if place + 1 < len(digests) else digests[place - 1])
    _store().forget(sha256)


def clear() -> None:
    """Forget all micrographs."""
    for sha256 in list(_store()):
        _store().forget(sha256)


def used_bytes() -> int:
    """Return how much memory the loaded pixels take, and the files kept for their other frames."""
    return _store().nbytes


def evicted_names() -> list[str]:
    """Return what had to make room for other visitors, until something is loaded again."""
    return list(_store().evicted)


def hold_beside(what: str, held_bytes: int) -> None:
    """Count what the session holds besides micrographs towards the budget of all visitors.

    Raises
    ------
    UserError
        If there is no room for it.
    """
    beside = _store().beside
    before = beside.pop(what, 0)
    if held_bytes > before:
        make_room(_store(), held_bytes)
    beside[what] = held_bytes


def is_simulated(micrograph: Micrograph) -> bool:
    """Tell whether a micrograph was simulated here and not recorded by a microscope."""
    return micrograph.sha256 in st.session_state.get(SIMULATED, ())


def samples() -> list[tuple[str, int]]:
    """Return kind and seed of every loaded sample."""
    known = st.session_state.get(SIMULATED, {})
    return [known[sha256] for sha256 in _store() if sha256 in known]


def set_pixel_size(sha256: str, size: PixelSize | None) -> None:
    """Give a micrograph a pixel size by hand; None goes back to what its file says."""
    set_pixel_sizes({sha256: size})


def set_pixel_sizes(sizes: Mapping[str, PixelSize | None], source: str = words.SET_BY_HAND) -> None:
    """Give micrographs pixel sizes; all of one call are undone together.

    Parameters
    ----------
    sizes : mapping
        Digest to pixel size; None goes back to what the file says.
    source : str
        `words.SET_BY_HAND` or `words.READ_FROM_PICTURE`.
    """
    before = {sha256: _given(_store()[sha256]) for sha256 in sizes if sha256 in _store()}
    for sha256 in before:
        _give(sha256, sizes[sha256], source)
    steps = st.session_state.setdefault(STEPS, [])
    steps.append(before)
    del steps[:-_MOST_STEPS]


def undo_pixel_sizes() -> None:
    """Take back what was last given; nothing is filled in by itself there any more."""
    steps = st.session_state.get(STEPS) or [{}]
    for sha256, (size, source) in steps.pop().items():
        if sha256 in _store():
            _give(sha256, size, source)


def undoable() -> int:
    """Return to how many micrographs the last change of pixel sizes can be taken back."""
    steps = st.session_state.get(STEPS) or [{}]
    return sum(sha256 in _store() for sha256 in steps[-1])


def is_settled(sha256: str) -> bool:
    """Tell whether a pixel size was given or taken back here: nothing fills itself in then."""
    return sha256 in st.session_state.get(SETTLED, ())


def _given(micrograph: Micrograph) -> tuple[PixelSize | None, str]:
    """Return the pixel size that is not the file's own, and where it is from."""
    source = words.given_later(micrograph)
    return (micrograph.pixel_size, source) if source else (None, words.SET_BY_HAND)


def _give(sha256: str, size: PixelSize | None, source: str) -> None:
    micrograph = _store()[sha256]
    own = _own().setdefault(sha256, micrograph)
    restored = with_overlay_choice(own, overlay_choice(micrograph))
    given = restored if size is None else words.set_pixel_size(restored, size, source)
    _store()[sha256] = given
    st.session_state.setdefault(SETTLED, set()).add(sha256)


def own_pixel_size(micrograph: Micrograph) -> PixelSize | None:
    """Return the pixel size that the file states, whatever was set by hand."""
    return _own().get(micrograph.sha256, micrograph).pixel_size


def alike(micrograph: Micrograph) -> list[str]:
    """Return the digests of all loaded frames of the same size in px, its own included."""
    return [each.sha256 for each in every() if each.shape == micrograph.shape]


def folder_of(micrograph: Micrograph) -> str:
    """Return the folders of a micrograph's name: those of a dropped folder or of a ZIP."""
    folder = PurePosixPath(micrograph.name.replace("\\", "/")).parent.as_posix()
    return "" if folder in (".", "/") else folder


def correct_overlays(sha256: str, choice: OverlayChoice) -> None:
    """Keep a correction of what is not specimen with a micrograph."""
    _store()[sha256] = with_overlay_choice(_store()[sha256], choice)


def leave_out_bar(sha256: str, bar: tuple[int, int, int]) -> None:
    """Leave out a scale bar of a loaded micrograph: row, left and right end in px."""
    _store()[sha256] = overlays.leave_out_bar(_store()[sha256], bar)


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


def _store() -> Shelf[_File]:
    shelf: Shelf[_File] | None = st.session_state.get(MICROGRAPHS)
    if shelf is None:
        shelf = st.session_state[MICROGRAPHS] = Shelf()
    shelf.touch()
    return shelf


def _files() -> dict[str, _File]:
    return _store().files


def _own() -> dict[str, Micrograph]:
    return _store().own


def _keep(micrograph: Micrograph, more_bytes: int = 0) -> str:
    """Store a micrograph unless its content is there already; return its digest."""
    store = _store()
    if micrograph.sha256 in store:
        known = store[micrograph.sha256]
        raise AlreadyLoadedError(f"already loaded, as {known.name}.", known.sha256)
    if used_bytes() + micrograph.pixels.nbytes + more_bytes > MOST_BYTES:
        raise UserError(
            f"There is no room for it: a session holds {MOST_BYTES // 2**20} MB. "
            "Remove micrographs that you no longer need, then load this one again."
        )
    st.session_state.pop(CLEARED, None)
    make_room(store, micrograph.pixels.nbytes + more_bytes)
    store[micrograph.sha256] = micrograph
    store.evicted.clear()  # who loads something has seen it
    st.session_state.get(SETTLED, set()).discard(micrograph.sha256)
    return micrograph.sha256
