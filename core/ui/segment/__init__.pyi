from . import answer as answer
from . import files as files
from . import hand as hand
from . import settings as settings
from . import strokes as strokes
from . import trial as trial
from . import views as views
