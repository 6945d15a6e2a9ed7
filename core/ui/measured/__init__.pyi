from . import sizes as sizes
from . import structure as structure
from . import trial as trial
from .area import describe_area as describe_area
from .area import describe_density as describe_density
from .area import describe_share as describe_share
from .trial import Neighbour as Neighbour
