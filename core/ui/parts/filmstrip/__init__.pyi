from . import picks as picks
from .strip import around as around
from .strip import draw as draw
