"""Which parts of the frame speak for a class, by any of `METHODS`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
