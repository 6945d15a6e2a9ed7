"""The house plan, read from the import lines."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.import_lines import (
    ROOT,
    circles,
    closed_door,
    imported,
    is_below,
    modules,
    name_of,
    resolve,
    targets,
)

FOUNDATION = ("core.micrograph", "core.errors", "core.leftovers")
MAY_IMPORT = {
    "core.errors": (),
    "core.leftovers": (),
    "core.micrograph": ("core.errors",),
    "core.imaging": (*FOUNDATION, "core.imaging"),
    "core.measuring": (*FOUNDATION, "core.imaging", "core.measuring"),
    "core.learning": (*FOUNDATION, "core.imaging", "core.learning"),
    "core.reporting": (
        *FOUNDATION,
        "core.imaging",
        "core.measuring",
        "core.learning",
        "core.reporting",
    ),
    "core.ui": ("core",),
    "core.__main__": ("core.command_line",),
    "core.command_line": (
        *FOUNDATION,
        "core.imaging",
        "core.learning",
        "core.reporting",
        "core.command_line",
    ),
    "pages": ("core",),
    "Home": ("core",),
}
# Which rooms of a floor may use which others of it: what is not listed must not be used.
_BELOW_ROOMS = ("shell", "parts", "cache")
_PAGE_ROOMS = (
    "home",
    "classify",
    "explain",
    "filters",
    "cluster",
    "segment",
    "batch",
    "train",
    "compare",
)
INSIDE = {
    "core.ui": {
        "cache": (),
        "parts": ("cache",),
        "shell": ("parts", "cache"),
        "measured": _BELOW_ROOMS,
        **dict.fromkeys((*_PAGE_ROOMS, "models"), _BELOW_ROOMS),
        **dict.fromkeys(("cluster", "segment"), ("measured", *_BELOW_ROOMS)),
        "page": (*_PAGE_ROOMS, "models", *_BELOW_ROOMS),
    },
    "core.learning": {
        "models": (),
        "classifying": ("models",),
        "particles": ("models",),
        "prompting": ("models",),
        "explaining": ("classifying", "models"),
        "trust": ("explaining", "classifying", "models"),
        "training": ("explaining", "classifying", "models"),
        "particles_training": ("training", "particles", "models"),
        "adding": ("classifying", "models", "holding"),
        "holding": (),
    },
    "core.imaging": {
        "memory": (),
        "distances": (),
        "parting": ("distances", "memory"),
        "display": ("memory",),
        "overlays": ("display", "memory"),
        "filtering": ("parting", "display", "distances", "memory"),
        "scale": ("overlays", "display", "memory"),
        "reading": ("scale", "overlays", "memory"),
        "simulation": ("scale", "overlays", "filtering", "display", "memory"),
    },
}
MOST_FILES = 16  # at one level of a room, a sub-room counts as one
SOURCES = {".py", ".pyi", ".js", ".css", ".html"}


def room(path: Path) -> str:
    name = name_of(path)
    return next((r for r in sorted(MAY_IMPORT, key=len, reverse=True) if name.startswith(r)), name)


def rooms_used(path: Path, floor: str) -> set[str]:
    """Return the other rooms of a floor that a module uses, types included."""
    names = {resolve(name) or name for name in imported(path)}
    below = {
        name.removeprefix(f"{floor}.").split(".")[0] for name in names if is_below(name, floor)
    }
    return below - {floor, name_of(path).removeprefix(f"{floor}.").split(".")[0]}


def folders() -> list[Path]:
    return [p for p in (ROOT / "core").rglob("*") if p.is_dir() and p.name != "__pycache__"]


def entries(folder: Path) -> list[Path]:
    return [
        each
        for each in folder.iterdir()
        if each.suffix in SOURCES or (each.is_dir() and each.name != "__pycache__")
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    if path == ROOT / "core" / "__init__.py":
        assert not list(imported(path))
        return
    allowed = (*MAY_IMPORT[room(path)], "core.__version__")
    for name in imported(path):
        if is_below(name, "core"):
            assert any(is_below(name, package) for package in allowed), (
                f"{room(path)} must not import {name}"
            )


@pytest.mark.parametrize("floor", INSIDE)
def test_rooms_of_a_floor_know_only_those_below(floor: str) -> None:
    for path in modules():
        name = name_of(path)
        if not is_below(name, floor) or name == floor:
            continue
        own = name.removeprefix(f"{floor}.").split(".")[0]
        assert own in INSIDE[floor], f"{floor}.{own} is on no plan: say here what it may use"
        wrong = rooms_used(path, floor) - set(INSIDE[floor][own])
        assert not wrong, f"{name} must not use {sorted(wrong)} of {floor}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_is_entered_by_its_door(path: Path) -> None:
    past = {name: closed_door(name_of(path), name) for name in imported(path)}
    wrong = {name: door for name, door in past.items() if door}
    assert not wrong, f"not handed out by the room's __init__: {wrong}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert not circles({name_of(path): targets(path) for path in modules()})


def test_circles_are_seen() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}
    assert circles(graph) == {("a", "b", "c")}


def test_names_of_a_lazy_room_are_followed() -> None:
    assert resolve("core.ui.parts.Switch") == "core.ui.parts.setting"
    assert resolve("core.ui.cache.model") == "core.ui.cache.shared"
    assert closed_door("core.ui.shell.settings", "core.ui.parts.setting.Switch") == "core.ui.parts"
    assert "core.ui.cache.classifying" in targets(ROOT / "core" / "ui" / "classify" / "checks.py")


@pytest.mark.parametrize("folder", folders(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_can_be_taken_in_at_a_glance(folder: Path) -> None:
    found = entries(folder)
    assert len(found) <= MOST_FILES
    assert not [each.name for each in found if each.stem.startswith(folder.name)]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_packages_stay_in_their_room(path: Path) -> None:
    where = room(path)
    names = list(imported(path))
    if where != "core.learning":
        assert not [n for n in names if is_below(n, "torch") or is_below(n, "torchvision")]
    if where not in {"core.ui", "pages", "Home"}:
        assert not [n for n in names if is_below(n, "streamlit")]
    if where in {"pages", "Home"}:
        assert not [n for n in names if is_below(n, "numpy") or is_below(n, "cv2")]


@pytest.mark.parametrize(
    "module",
    [
        "core",
        "core.imaging.reading.opening",
        "core.imaging.filtering.pipeline",
        "core.measuring.clustering",
        "core.measuring.regions.table",
        "core.measuring.attribution",
        "core.reporting.batch.run",
        "core.reporting.report.writing",
        "core.reporting.figures",
        "core.ui.page.layout",
        "core.ui.cache.classifying",
        "core.ui.cache.clustering",
        "core.ui.cache.explaining",
        "core.ui.cache.filtering",
        "core.ui.cache.measuring",
        "core.ui.cache.models",
        "core.ui.cache.shared",
    ],
)
def test_importing_brings_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_home_opens_without_the_libraries_of_other_pages() -> None:
    heavy = {"pandas", "scipy.ndimage", "scipy.spatial", "skimage.measure", "sklearn", "numba"}
    run = f"AppTest.from_file({str(ROOT / 'Home.py')!r}, default_timeout=60).run()"
    code = (
        "import sys\nfrom streamlit.testing.v1 import AppTest\n"
        f"app = {run}\nassert not app.exception and app.title\nprint(*({heavy} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "MICROGRAPHIA_WARM_UP": "0"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.split() == []
