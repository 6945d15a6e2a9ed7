"""Figures for a paper: what a viewer shows, or a chart, as PNG, SVG and PDF of a width in mm."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
