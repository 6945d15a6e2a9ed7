"""A study: micrographs, what people said of them, recipe and results, in one file that opens."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
