from . import slider as slider
