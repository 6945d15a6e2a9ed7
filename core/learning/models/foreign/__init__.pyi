from . import hub as hub
