from .advice import LeftOut as LeftOut
from .advice import leave_strokes_out as leave_strokes_out
from .advice import paint_next as paint_next
from .advice import unsureness as unsureness
from .learning import MOST_PHASES as MOST_PHASES
from .learning import PixelClassifier as PixelClassifier
from .learning import learn_pixels as learn_pixels
