from .exits import EXIT_OK as EXIT_OK
from .exits import EXIT_SOME_FAILED as EXIT_SOME_FAILED
from .exits import EXIT_STOPPED as EXIT_STOPPED
from .exits import EXIT_USAGE as EXIT_USAGE
from .running import build_parser as build_parser
from .running import main as main
