from .model import Member as Member
from .model import Study as Study
from .opening import open_study as open_study
from .running import compare_rows as compare_rows
from .running import run_study as run_study
from .saving import SUFFIX as SUFFIX
from .saving import save_study as save_study
from .saving import study_bytes as study_bytes
