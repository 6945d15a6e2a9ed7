"""Filters and chains of them; texture, quality and grey levels at native depth."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
