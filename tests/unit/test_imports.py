"""The house plan, read from the import lines."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOUNDATION = ("core.micrograph", "core.errors")
MAY_IMPORT = {
    "core.errors": (),
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
    "core.__main__": ("core",),
    "pages": ("core",),
    "Home": ("core",),
}


def modules() -> list[Path]:
    return sorted([*ROOT.glob("core/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "Home.py"])


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts)
    return next((r for r in sorted(MAY_IMPORT, key=len, reverse=True) if name.startswith(r)), name)


def is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


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
