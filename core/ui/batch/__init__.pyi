from . import comparison as comparison
from . import kept as kept
from . import live as live
from . import recipe as recipe
from . import results as results
from . import run as run
from . import settings as settings
from . import sources as sources
