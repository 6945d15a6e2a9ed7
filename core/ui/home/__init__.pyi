from . import correction as correction
from . import gallery as gallery
