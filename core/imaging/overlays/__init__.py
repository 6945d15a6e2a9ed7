"""What is not specimen: info bar, scale bar, burned-in text, as a mask."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
