"""The Segment page: ways to phases and objects, a hand that mends them, and what they measure."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
