"""A weight file or a zipped model folder -> a model folder of this process, checked as a whole.

What people bring is kept apart from the installed models, in a folder that goes with the process.
Its name holds a digest of weights and card: the same model is there once, and another one under
the same name is another folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import shutil
import tempfile
import threading
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import numpy as np

from core.errors import UnusableModel, UserError
from core.learning.classifying import check_magnification, classify
from core.learning.holding import SHARE, held
from core.learning.models import (
    ADDED,
    CARD,
    REFERENCE,
    UNNAMED,
    WEIGHTS,
    Classifier,
    ModelCard,
    added_folder,
    find_model,
    load_model,
    name_classes,
    open_weights,
    prepare_card,
    require_classes,
    save_model,
    with_labels,
)
from core.leftovers import make_folder
from core.micrograph import Micrograph, PixelSize

MOST_MODELS = 40
MOST_MB = 3000  # of all of them on the disk
_PARTS = {CARD: 1, WEIGHTS: 800, REFERENCE: 100}  # what is taken of a folder, and its most MB
_README = "README.md"  # of models that were made here; none is taken from an upload
_MARK_LENGTH = 32  # nobody can make another card that ends in the same name
_FULL = (
    "There is no room for another model: people work with all that are kept here. Take one of "
    "yours off the list of models, or try again in some minutes."
)
_DAMAGED = "The archive is cut short or damaged; pack the model folder again."
_NOTES = "inferred"
UNSAID = "The file does not say how frames"
_SAID = "A person chose how frames are prepared"
_BY_HAND = "The classes were named by hand."
_SEVERAL_BY_HAND = "A person said that several classes may be true of one micrograph."
_ONE_BY_HAND = "A person said that one class is true of a micrograph."
_LOG = logging.getLogger(__name__)
_lock = threading.RLock()  # of everything that is done to the folder
_uploads: dict[str, list[Path]] = {}  # what was made of each upload, the newest last
_visitors: dict[str, str] = {}  # who brought each upload, where that is known


@dataclass(frozen=True, slots=True)
class AddedModel:
    """A model that a person brought.

    Attributes
    ----------
    name : str
        What `load_model` takes.
    card : ModelCard
    notes : tuple of str
        What was inferred when a weight file without a card was opened.
    upload : str
        Which upload it was made of: names that are tried out one after another share it.
    """

    name: str
    card: ModelCard
    notes: tuple[str, ...]
    upload: str = field(default="", compare=False)

    @property
    def is_foreign(self) -> bool:
        """Whether it came without a card: its classes may then be named."""
        return bool(self.notes)


def add_model(path: Path, file_name: str, visitor: str = "") -> AddedModel:
    """Return a model that was made of a weight file or of a ZIP of a model folder.

    Parameters
    ----------
    path : Path
    file_name : str
        What the file is called by the person; never used as a path.
    visitor : str
        Who brings it: models of whoever brought most make room first. Nobody when left out, so
        that this upload stands for itself.

    Raises
    ------
    UnusableModel
        If the file cannot be opened safely, fits no network, disagrees with its card, is an
        encoder without classes, or answers with something else than numbers.
    UserError
        If models that people work with leave no room for it.
    """
    with tempfile.TemporaryDirectory(prefix="adding-", dir=_folder()) as spare:
        draft = Path(spare) / "model"
        if _holds_a_card(path):
            _unpack(path, draft)
        else:
            _convert(path, file_name, draft)
        card = _try_out(draft)
        return _settle_anew(draft, card, visitor)


def keep_model(classifier: Classifier, readme: str, visitor: str = "") -> AddedModel:
    """Return a model that was made here, kept beside those that people brought.

    Parameters
    ----------
    classifier : Classifier
        With a card and a reference.
    readme : str
        What its folder says of it.
    visitor : str
        Who made it, as in `add_model`.

    Raises
    ------
    UserError
        If models that people work with leave no room for it.
    """
    with tempfile.TemporaryDirectory(prefix="adding-", dir=_folder()) as spare:
        draft = Path(spare) / "model"
        card = save_model(draft, classifier.network, classifier.card, classifier.reference)
        (draft / _README).write_text(readme, encoding="utf-8")
        return _settle_anew(draft, card, visitor)


def rename_classes(added: AddedModel, words: Sequence[str]) -> AddedModel:
    """Return the same network under other names of its classes.

    Raises
    ------
    UserError
        If there are more or fewer names than classes, a name is empty or there twice, or the model
        had to make room for others meanwhile.
    """
    card = added.card
    words = [word for word in (w.strip() for w in words) if word]
    if len(words) != len(card.classes):
        names = "name is" if len(words) == 1 else "names are"
        raise UserError(
            f"The network has {len(card.classes)} classes, {len(words)} {names} given. Write one "
            "name a line, in the order of its outputs."
        )
    named = name_classes(words)
    notes = [note for note in added.notes if not note.startswith(UNNAMED)]
    notes += [_BY_HAND] if _BY_HAND not in notes else []
    training = {**card.training, _NOTES: notes}
    card = replace(card, classes=tuple(named), display_names=named, training=training)
    return _with_card(added, card)


def choose_preparation(added: AddedModel, prepare: str) -> AddedModel:
    """Return the same network with frames prepared as a person says.

    Parameters
    ----------
    added : AddedModel
    prepare : str
        As `read_preparation` takes it.

    Raises
    ------
    UserError
        If the text is none, or the model had to make room for others meanwhile.
    """
    card = prepare_card(added.card, prepare)
    notes = [note for note in added.notes if not note.startswith(UNSAID)]
    notes = [note for note in notes if not note.startswith(_SAID)]
    notes.append(f"{_SAID}: {card.limits[0].partition(': ')[2]}")
    card = replace(card, training={**card.training, _NOTES: notes})
    return _with_card(added, card)


def choose_labels(added: AddedModel, *, several: bool) -> AddedModel:
    """Return the same network, its scores read as sigmoids or as one softmax.

    Parameters
    ----------
    added : AddedModel
        Of two outputs or more.
    several : bool
        Whether several classes may be true of one micrograph, or none.

    Raises
    ------
    UserError
        If the model had to make room for others meanwhile.
    """
    said = _SEVERAL_BY_HAND if several else _ONE_BY_HAND
    others = (_SEVERAL_BY_HAND, _ONE_BY_HAND)
    notes = [*(note for note in added.notes if note not in others), said]
    card = with_labels(added.card, several=several)
    card = replace(card, training={**card.training, _NOTES: notes})
    return _with_card(added, card)


def _with_card(added: AddedModel, card: ModelCard) -> AddedModel:
    """Return an added model's network under another card."""
    with _lock, tempfile.TemporaryDirectory(prefix="adding-", dir=_folder()) as spare:
        if find_model(added.name) is None:
            raise UserError(f"{added.card.name} had to make room for other models; add it again.")
        draft = Path(spare) / "model"
        draft.mkdir()
        for part in (WEIGHTS, REFERENCE):
            if (_folder() / added.name / part).is_file():
                _link(_folder() / added.name / part, draft / part)
        (draft / CARD).write_text(card.to_json(), encoding="utf-8")
        return _settle(draft, card, added.upload)


def zip_model(name: str) -> bytes:
    """Return an added model as a ZIP of its folder: unpacked into `models/` it is installed."""
    with tempfile.TemporaryFile() as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for part in (*_PARTS, _README):
                if (_folder() / name / part).is_file():
                    archive.write(_folder() / name / part, f"{name}/{part}")
        stream.seek(0)
        return stream.read()


def _folder() -> Path:
    """Return the folder of what people brought; it goes when this process ends."""
    with _lock:
        folder = added_folder()
        if folder is None or not folder.is_dir():
            folder = make_folder("models-")
            os.environ[ADDED] = str(folder)
        return folder


def _holds_a_card(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(Path(name).name == CARD for name in archive.namelist())
    except Exception:  # no archive, or a damaged one: the weight file's reader says so
        return False


def _unpack(path: Path, folder: Path) -> None:
    """Write the parts of a model folder, each under its own known name and up to its size."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(path) as archive:
            for name, entry in _parts(archive).items():
                if entry.file_size > _PARTS[name] * 1_000_000:
                    raise UnusableModel(
                        f"{name} has {entry.file_size / 1e6:,.0f} MB, it may have {_PARTS[name]}."
                    )
                with archive.open(entry) as source, (folder / name).open("wb") as target:
                    _copy(source, target, entry.file_size)
    except UserError:
        raise
    except Exception as error:  # hostile bytes fail in every way that there is
        _LOG.info("archive refused", exc_info=error)
        raise UnusableModel(_DAMAGED) from error


def _parts(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = Path(entry.filename).name
        if name not in _PARTS or entry.is_dir() or "__MACOSX" in entry.filename:
            continue
        if name in found:
            raise UnusableModel("The archive holds several models; pack one model folder alone.")
        found[name] = entry
    if WEIGHTS not in found:
        raise UnusableModel(
            f"The archive holds a {CARD} without {WEIGHTS}. Pack the whole model folder."
        )
    return found


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> None:
    """Copy a file of an archive, no more than its directory states."""
    left = size
    while chunk := source.read(min(1 << 20, left + 1)):
        left -= len(chunk)
        if left < 0:
            raise UnusableModel(_DAMAGED)
        target.write(chunk)
    if left:
        raise UnusableModel(_DAMAGED)


def _convert(path: Path, file_name: str, folder: Path) -> None:
    opened = open_weights(path, file_name)
    card = require_classes(opened)
    card = replace(card, training={**card.training, _NOTES: list(opened.notes)})
    save_model(folder, opened.network, card)


def _try_out(folder: Path) -> ModelCard:
    """Return the card after the model has answered once; what it cannot do shows here."""
    try:
        classifier = load_model(folder, device="cpu")
        _answer(classifier)
    except UserError:
        raise
    except Exception as error:
        _LOG.info("model refused", exc_info=error)
        raise UnusableModel(
            "The network gives no usable answer to a test picture. Its card or its weights are "
            "damaged; export it again."
        ) from error
    return classifier.card


def _answer(classifier: Classifier) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (96, 128), dtype=np.uint8)
    micrograph = Micrograph("test", pixels, PixelSize(1, "nm"))
    classify(classifier, [micrograph])
    check_magnification(classifier.card, micrograph)


def _settle_anew(draft: Path, card: ModelCard, visitor: str) -> AddedModel:
    upload = uuid.uuid4().hex
    with _lock:
        _visitors[upload] = visitor or upload
        return _settle(draft, card, upload)


def _settle(draft: Path, card: ModelCard, upload: str) -> AddedModel:
    """Move a finished folder to its own name, unless it is there already."""
    mark = hashlib.sha256((draft / CARD).read_bytes()).hexdigest()[:_MARK_LENGTH]
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", card.name).strip("-")[:40] or "model"
    name = f"{stem}-{mark}"
    with _lock:
        home = _folder() / name
        is_new = not home.is_dir()
        if is_new:
            draft.rename(home)
        os.utime(home)
        made = _uploads.setdefault(upload, [])
        made[:] = [*(each for each in made if each != home), home]
        if is_new:
            _make_room(home)
    notes = card.training.get(_NOTES, ())
    return AddedModel(name, card, tuple(str(note) for note in notes), upload)


def _make_room(newest: Path) -> None:
    """Forget models when there are too many, or too large ones.

    What a person tried before the newest names of an upload is in nobody's way and goes first;
    then, of whoever has most, the one that is there for longest. What an open session holds stays,
    up to a visitor's share.

    Raises
    ------
    UserError
        If all that is kept is held; the newest is taken away again, and nothing else.
    """
    kept = [path for path in _folder().iterdir() if (path / CARD).is_file() and path != newest]
    sizes = {path: _size_mb(path) for path in (*kept, newest)}
    going = _going(kept, sizes)
    for path in [newest] if going is None else going:
        shutil.rmtree(path, ignore_errors=True)
    for upload, made in list(_uploads.items()):
        made[:] = [path for path in made if path.is_dir()]
        if not made:
            del _uploads[upload]
            _visitors.pop(upload, None)
    if going is None:
        raise UserError(_FULL)


def _going(kept: Sequence[Path], sizes: Mapping[Path, float]) -> list[Path] | None:
    """Return what has to go, so that the newest has room; None where too little may go."""
    left, sizes, going = list(kept), dict(sizes), []
    while left and (len(left) >= MOST_MODELS or sum(sizes.values()) > MOST_MB):
        safe = _safe(left)
        loose = [path for path in left if path not in safe]
        if not loose:
            return None
        going.append(_next_to_go(loose, sizes))
        left.remove(going[-1])
        del sizes[going[-1]]
    return going


def _safe(kept: Sequence[Path]) -> set[Path]:
    """Return the models that make no room: those in hand, of each visitor the newest few."""
    in_hand, holders = held(), _holders()
    safe: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(kept, key=_age, reverse=True):
        for name in holders[path] if path.name in in_hand else ():
            if len(safe[name]) < SHARE:
                safe[name].append(path)
    return {path for paths in safe.values() for path in paths}


def _holders() -> dict[Path, set[str]]:
    """Return whose each model is; nobody's is one with names that were given up since."""
    holders: dict[Path, set[str]] = defaultdict(set)
    for upload, made in _uploads.items():
        if made:
            holders[made[-1]].add(_visitors.get(upload, upload))
    return holders


def _next_to_go(loose: Sequence[Path], sizes: Mapping[Path, float]) -> Path:
    """Return a model that is nobody's, else the oldest of whoever has most of what is short."""
    holders = _holders()
    by_size = sum(sizes.values()) > MOST_MB
    has: dict[str, float] = defaultdict(float)
    for path, size in sizes.items():
        for name in holders[path]:
            has[name] += size if by_size else 1.0

    def order(path: Path) -> tuple[bool, float, int]:
        theirs = [has[name] for name in holders[path]]
        return not theirs, min(theirs, default=0.0), -_age(path)

    return max(loose, key=order)


def _age(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:  # it went meanwhile, with another process
        return 0


def _size_mb(folder: Path) -> float:
    """Return what a folder holds; nothing where it went meanwhile."""
    with contextlib.suppress(OSError):
        return sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    return 0.0


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; copy it where that is not possible."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
