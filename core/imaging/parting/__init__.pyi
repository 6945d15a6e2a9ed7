from .compact import compactness as compactness
from .flooding import flood as flood
from .necks import NECK as NECK
from .necks import in_reading_order as in_reading_order
from .necks import number_connected as number_connected
from .necks import part_at_necks as part_at_necks
from .necks import reconstruct as reconstruct
from .necks import without_holes as without_holes
