"""How the documents are built: `sphinx-build -W -q docs build/docs`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from core import __version__  # noqa: E402

project = "Micrographia"
release = __version__
copyright = "the authors of Micrographia, MIT"  # noqa: A001 - Sphinx wants it under this name

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "registries"]
myst_heading_anchors = 2
suppress_warnings = ["myst.xref_missing"]  # links into the repository, checked by tests/docs
default_role = "code"  # `name` in a docstring is code

autodoc_typehints = "none"  # docstrings say shapes and dtypes, which annotations cannot
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "Micrographia"
html_static_path: list[str] = []
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#075f66", "color-brand-content": "#0b6e75"},
    "dark_css_variables": {"color-brand-primary": "#57cdc5", "color-brand-content": "#57cdc5"},
}
