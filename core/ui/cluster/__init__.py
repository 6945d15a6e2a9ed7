"""The Cluster page: how pixels are grouped, what is measured, the map of micrographs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
