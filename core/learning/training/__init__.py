"""Labelled pictures -> a model folder, split by original so that nothing leaks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
