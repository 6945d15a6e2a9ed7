from . import quick as quick
from . import starting as starting
from .pictures import LabelledPicture as LabelledPicture
from .quick import save_quick as save_quick
from .quick import train_quickly as train_quickly
from .run import TrainingPlan as TrainingPlan
from .run import train as train
from .starting import Start as Start
