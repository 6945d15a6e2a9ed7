"""Add a model: give the file, see what was inferred, name the classes, try it, use it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import UserError
from core.reporting import figures
from core.ui import cache
from core.ui.models import preparing
from core.ui.parts import Door, say, show, tables
from core.ui.shell import EXCLUDE, model_choice, uploads, user_errors, visitor, workspace

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from core.learning.adding import AddedModel

MOST_MB = 300  # an AlexNet has 230
SUFFIXES = ("pth", "pt", "tar", "ckpt", "bin", "safetensors", "zip", "onnx")
# What is refused with the line that exports it; the page would only say that it may not be given.
_REFUSED = ("h5", "hdf5", "keras", "tflite", "pkl", "pb", "pt2", "msgpack", "mlmodel")
_TURN, _DRAFT, _TRIED = "models_turn", "models_draft", "models_tried"
_UNCALIBRATED = "**{name}** with {probability} (not calibrated)"
_DOOR = Door()  # to adding a model, which opens a stranger's file and tries it out
_MANY = 12  # classes that are listed one by one


@dataclass(frozen=True, slots=True)
class _Draft:
    """What became of one upload: a model, or a sentence."""

    file_id: str
    model: AddedModel | None
    problem: str = ""


def draw() -> None:
    """Draw the dialog in which a model is added."""
    _dialog()


def _reset() -> None:
    """Leave nothing of what was not used; the bytes of the upload go, too."""
    model_choice.ask_for_another(False)
    model_choice.hold()
    uploads.let_go([st.session_state.pop(_DRAFT, None)])
    st.session_state.pop(_TRIED, None)
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


@st.dialog("Add a model", width="large", on_dismiss=_reset)
def _dialog() -> None:
    if not model_choice.is_asked_for_another():  # it was used: the page below must follow
        st.rerun()
    with user_errors():
        model = _receive()
        if model is None:
            return
        _card(model)
        if model.is_foreign:
            model = _choose_labels(_name_classes(model))
        if model.is_foreign and preparing.can_be_chosen(model):
            model = preparing.choose(model, _DRAFT)
        _try(model)
        _finish(model)


def _receive() -> AddedModel | None:
    """Take a file; return the model in it, None when there is none yet or none that works."""
    file = st.file_uploader(
        "Weights, or a ZIP of a model folder",
        (*SUFFIXES, *_REFUSED),
        key=f"models_upload_{st.session_state.get(_TURN, 0)}",
        max_upload_size=MOST_MB,
        help="PyTorch state dicts, checkpoints of Lightning and timm, safetensors, ONNX, and ZIPs "
        "of a Hugging Face folder or of weights with labels.txt. The architecture is told from the "
        "names and shapes of the weights. Nothing in a file is ever run.",
    )
    if file is None:
        st.caption(
            "Networks of torchvision and timm with one or three input channels: ResNets, "
            "EfficientNets, ConvNeXts, MobileNets, RegNets, DenseNets, ViT, DeiT, DINOv2, Swin; "
            "VisualCNN, AlexNet and EMNet. The file stays on this server until it stops, and only "
            "you see the model in your list."
        )
        return None
    draft: _Draft | None = st.session_state.get(_DRAFT)
    if draft is None or draft.file_id != file.file_id:
        draft = _open(file)
        st.session_state[_DRAFT] = draft
    model_choice.hold(draft.model.name if draft.model else "")
    if draft.problem:
        say.error("{problem}", problem=draft.problem, icon=":material/error:")
        names = model_choice.choices()
        if names:
            say.caption("Nothing changed: {names} stays.", names=names[model_choice.current(names)])
    return draft.model


def _open(file: UploadedFile) -> _Draft:
    with st.spinner("Opening …"), tempfile.TemporaryDirectory(prefix="upload-") as folder:
        path = Path(folder) / "file"
        with path.open("wb") as target:
            target.write(file.getbuffer())
        try:
            with _DOOR.enter():
                added = cache.add_model(path, file.name, visitor.identity())
            return _Draft(file.file_id, added)
        except UserError as error:
            return _Draft(file.file_id, None, str(error))


def _card(model: AddedModel) -> None:
    """Show what the network is, how that is known and what it lacks."""
    card = model.card
    words = [card.display_name(label) for label in card.classes]
    more = f" … {words[-1]}" if len(words) > _MANY else ""
    named = (
        "" if model.is_foreign else f": {', '.join(words[:_MANY])}{more}"
    )  # else in a field below
    say.markdown(
        "**{name}** · {architecture} · {count} classes{named}",
        name=card.name,
        architecture=cache.architecture_title(card.architecture),
        count=len(words),
        named=named,
    )
    for note in cache.notes_to_read(model):
        say.markdown("- {note}", note=note)
    asks = cache.can_choose_preparation(model)
    if said := cache.missing_in_model(model.name, but_preparation=asks):
        say.info("{said}", said=said, icon=":material/info:")


def _name_classes(model: AddedModel) -> AddedModel:
    """Let the person name the classes; return the model under these names."""
    draft: _Draft = st.session_state[_DRAFT]
    card = model.card
    given = st.text_area(
        say.line(
            "Names of the {classes} classes, one a line, in the order of the outputs",
            classes=len(card.classes),
        ),
        "\n".join(card.display_name(label) for label in card.classes),
        height=min(300, 50 + 24 * len(card.classes)),
        key=f"models_classes_{draft.file_id}",
    )
    words = [line.strip() for line in (given or "").splitlines() if line.strip()]
    if words == [card.display_name(label) for label in card.classes]:
        return model
    renamed = cache.rename_classes(model, tuple(words))
    model_choice.hold(renamed.name)
    st.session_state[_DRAFT] = replace(draft, model=renamed)
    return renamed


def _choose_labels(model: AddedModel) -> AddedModel:
    """Let the person say whether classes exclude each other: weights alone do not tell."""
    draft: _Draft = st.session_state[_DRAFT]
    if model.card.outputs == 1:
        return model
    several = st.toggle(
        "Several classes may be true of one micrograph",
        model.card.multi_label,
        key=f"models_labels_{draft.file_id}",
        help="Of networks trained with one sigmoid a class (multi-label). Each class then has a "
        "probability of its own, and a frame may have several classes or none.",
    )
    if several == model.card.multi_label:
        return model
    changed = cache.choose_labels(model, several)
    model_choice.hold(changed.name)
    st.session_state[_DRAFT] = replace(draft, model=changed)
    return changed


def _try(model: AddedModel) -> None:
    """Classify the current micrograph with the model, without making it the current one."""
    micrograph = workspace.current()
    if micrograph is None:
        st.caption("Load a micrograph to try it before you use it.")
        return
    if st.button(say.line("Try it on {name}", name=micrograph.name), key="models_try"):
        st.session_state[_TRIED] = model.name
    if st.session_state.get(_TRIED) != model.name:
        return
    exclude = EXCLUDE.value()
    answer = cache.classification(micrograph, model.name, exclude)
    picture, result = st.columns([1, 2])
    picture.image(cache.thumbnail_png(micrograph), alt=micrograph.name, output_format="PNG")
    with result:
        words = [model.card.display_name(label) for label in answer.present]
        say.markdown(
            "**{name}** with {probability}" if answer.calibrated else _UNCALIBRATED,
            name=", ".join(words) or "no class",
            probability=" and ".join(
                tables.percent(answer.probabilities[label])
                for label in answer.present or (answer.label,)
            ),
        )
        if len(answer.probabilities) <= _MANY:
            show.chart(
                figures.probabilities(
                    answer,
                    model.card.display_names,
                    dark=show.is_dark(),
                    threshold=answer.present_above,
                ),
                "models_probabilities",
                "Probability of every class",
            )


def _finish(model: AddedModel) -> None:
    with st.container(horizontal=True, gap="small"):
        st.button(
            show.on_primary("Use this model"),
            key="models_use",
            type="primary",
            icon=":material/check:",
            on_click=_use,
            args=(model.name, model.card.name),
        )
        show.download(
            "Model folder (ZIP)",
            lambda: cache.zip_model(model.name),
            f"{model.name}.zip",
            "application/zip",
            "models_zip",
        )
    st.caption(
        "Unpack the ZIP into models/ to install it for good, or add the ZIP here another time."
    )


def _use(name: str, title: str) -> None:
    model_choice.use(name, title)
    _reset()
