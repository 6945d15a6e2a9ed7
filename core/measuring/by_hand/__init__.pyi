from .painting import paint as paint
from .shapes import KINDS as KINDS
from .shapes import MOST_SHAPES as MOST_SHAPES
from .shapes import PAINT as PAINT
from .shapes import Shape as Shape
from .shapes import read_shapes as read_shapes
from .table import measure_shapes as measure_shapes
from .table import summarise as summarise
