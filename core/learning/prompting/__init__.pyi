from .everything import find_everything as find_everything
from .installed import FOLDER as FOLDER
from .installed import find_weights as find_weights
from .installed import has_package as has_package
from .installed import how_to_get as how_to_get
from .network import PromptedNetwork as PromptedNetwork
from .network import Seen as Seen
from .weights import open_sam as open_sam
