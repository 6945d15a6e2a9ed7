from . import advice as advice
from . import checks as checks
from . import labels as labels
from . import learn as learn
from . import result as result
from . import settings as settings
from . import sources as sources
