from . import grouping as grouping
from . import shelves as shelves
from . import visitor as visitor
