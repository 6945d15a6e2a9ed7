from . import tour as tour
from .tasks import PROMISES as PROMISES
from .tasks import TASKS as TASKS
