from .labels import label_regions as label_regions
from .sizes import SizeDistribution as SizeDistribution
from .sizes import number_per_area as number_per_area
from .sizes import size_distribution as size_distribution
from .table import measure_regions as measure_regions
