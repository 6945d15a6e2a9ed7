from . import card as card
from . import picker as picker
