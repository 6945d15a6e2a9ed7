from .choice import USUAL as USUAL
from .choice import AnyPreparation as AnyPreparation
from .choice import describe_preparation as describe_preparation
from .choice import make_preparation as make_preparation
from .choice import read_preparation as read_preparation
from .choice import usual_preparation as usual_preparation
from .stated import Stated as Stated
