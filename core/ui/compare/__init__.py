"""Loaded micrographs compared with each other: a map of pictures, names for those in a loop."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
