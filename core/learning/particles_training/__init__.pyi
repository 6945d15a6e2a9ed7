from .run import NumberedPicture as NumberedPicture
from .run import finish as finish
from .run import measure as measure
from .run import read_numbered as read_numbered
from .run import train_particles as train_particles
from .scoring import Score as Score
from .scoring import compare as compare
from .scoring import summary as summary
