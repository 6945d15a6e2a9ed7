"""A person's work and where it is kept: who they are, what they loaded, how it is grouped."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
