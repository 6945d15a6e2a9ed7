"""How far a map can be trusted: against chance, against edges, under change."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
