"""The app without a browser: from its entrypoint, with a small model and empty caches."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.imaging.simulation.samples import simulate
from tests.pages.small_model import save_small_model

HOME = Path(__file__).resolve().parents[2] / "Home.py"


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_small_model(folder)
    return folder


@pytest.fixture(autouse=True)
def _empty_caches(monkeypatch: pytest.MonkeyPatch, model_folder: Path) -> Iterator[None]:
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(model_folder))
    monkeypatch.setenv("MICROGRAPHIA_WARM_UP", "0")
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def app() -> AppTest:
    """The start page, run once."""
    return AppTest.from_file(str(HOME), default_timeout=60).run()


@pytest.fixture
def open_page(app: AppTest) -> Callable[[str], AppTest]:
    """Go to a page; the entrypoint has run before, as it has for a person."""
    return lambda name: app.switch_page(f"pages/{name}.py").run()


@pytest.fixture(scope="session")
def png() -> bytes:
    """A simulated micrograph as an uploaded file."""
    return encode(simulate("spheroids", shape=(192, 256), seed=3).micrograph.pixels)


@pytest.fixture(scope="session")
def other_png() -> bytes:
    return encode(simulate("alloys", shape=(128, 160), seed=4).micrograph.pixels)


def encode(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
