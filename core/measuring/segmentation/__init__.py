"""A label image with named phases or numbered objects: where it came from, what a hand changed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
