"""Pixel sizes on every page: in the sidebar, read from the pictures, given to many at once."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
