"""Figures for a paper on a page: the dialog of a viewer's figure, and a chart's own button."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
