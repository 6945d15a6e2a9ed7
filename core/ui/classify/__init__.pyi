from . import answer as answer
from . import checks as checks
from . import settings as settings
from . import table as table
from . import tile_map as tile_map
from . import verdict as verdict
