"""What puts a page together, above all rooms: its beginning, its end, and links to what is set."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
