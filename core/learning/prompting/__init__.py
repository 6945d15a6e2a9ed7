"""A click or a box -> the mask of one object, by Segment Anything weights that a person brings."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
