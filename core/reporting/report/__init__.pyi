from . import verdict as verdict
from . import wording as wording
from .about import About as About
from .sample import NOTE as NOTE
from .sample import read_sample_report as read_sample_report
from .writing import write_report as write_report
