"""What is measured of a target: sizes, area, structure. The same for every page that has one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
