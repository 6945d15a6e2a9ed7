"""What surrounds every page: set-up, error border, workspace, sidebar, links, revival."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
