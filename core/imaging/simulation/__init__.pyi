from .foreign import FOREIGN as FOREIGN
from .foreign import simulate_foreign as simulate_foreign
from .samples import KINDS as KINDS
from .samples import Simulation as Simulation
from .samples import simulate as simulate
