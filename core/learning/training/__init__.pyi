from . import starting as starting
from .pictures import LabelledPicture as LabelledPicture
from .run import TrainingPlan as TrainingPlan
from .run import plan_for as plan_for
from .run import train as train
from .starting import Start as Start
