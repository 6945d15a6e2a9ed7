from .foreign import FOREIGN as FOREIGN
from .foreign import simulate_foreign as simulate_foreign
from .micrographs import SAMPLE_SHAPE as SAMPLE_SHAPE
from .micrographs import sample_micrograph as sample_micrograph
from .samples import KINDS as KINDS
from .samples import Simulation as Simulation
from .samples import simulate as simulate
