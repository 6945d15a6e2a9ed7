from . import bench as bench
from . import chain as chain
from . import facts as facts
from . import pictures as pictures
from . import recipe as recipe
from . import settings as settings
