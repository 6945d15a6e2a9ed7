from .activations import Activations as Activations
from .fields import FIELDS as FIELDS
from .fields import simulate_field as simulate_field
from .fitting import prepare as prepare
from .fitting import tune as tune
from .steps import half_pays as half_pays
from .steps import load as load
from .steps import warm_up_and_decay as warm_up_and_decay
