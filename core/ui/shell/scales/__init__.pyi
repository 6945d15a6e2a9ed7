from . import calibration as calibration
from . import readings as readings
from . import scopes as scopes
