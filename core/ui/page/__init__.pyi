from . import rooms as rooms
from . import warm_up as warm_up
from .layout import model_picker as model_picker
from .layout import require_micrograph as require_micrograph
from .layout import settings as settings
from .layout import setup as setup
from .layout import user_errors as user_errors
from .rooms import for_recipe as for_recipe
