"""The loaded micrographs in a row of small pictures, to go from one to the next."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
