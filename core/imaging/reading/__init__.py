"""From bytes or a path to a micrograph: every format, limits before decoding, bounded decoders."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
