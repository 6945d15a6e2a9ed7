from . import board as board
from .naming import Classes as Classes
