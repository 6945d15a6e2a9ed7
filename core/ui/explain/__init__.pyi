from . import settings as settings
from . import trust as trust
from . import views as views
