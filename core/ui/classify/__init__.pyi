from . import answer as answer
from . import checks as checks
from . import table as table
from . import tile_map as tile_map
from .answer import LEVEL_KEY as LEVEL_KEY
