from . import chart as chart
from . import dialog as dialog
from . import kept as kept
