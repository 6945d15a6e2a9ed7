"""Frozen features and a linear head -> one's own classes in seconds, scored on groups held out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
