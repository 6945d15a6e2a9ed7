from . import choices as choices
from . import region_picker as region_picker
from . import settings as settings
from . import sizes as sizes
from . import trial as trial
from . import views as views
