"""Label images as the files of other programs: ImageJ ROIs, label TIFF, GeoJSON, COCO; and back."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
