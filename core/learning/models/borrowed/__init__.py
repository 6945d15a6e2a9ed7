"""Networks that timm and torchvision build from a name, split into a map and a head."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
