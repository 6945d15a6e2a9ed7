from .answer import ask as ask
from .answer import draw as draw
from .neighbours import Neighbour as Neighbour
from .neighbours import of_size as of_size
from .neighbours import of_split as of_split
