"""Ways of preparing a micrograph for networks of others, and how one of all ways is chosen."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
