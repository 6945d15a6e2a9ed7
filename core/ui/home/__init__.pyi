from . import correction as correction
from . import gallery as gallery
from . import loading as loading
from . import samples as samples
from . import tasks as tasks
