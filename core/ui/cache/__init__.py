"""Every cached call of the app, each a thin wrapper around one function of the core.

A micrograph is keyed by its digest, scale and name, and where masks matter by what a person
corrected in them: Streamlit would hash a large array from a sample of it. What is kept is bounded
in bytes. Everything that needs torch is imported inside. One module per task; pages call them
from here, and a module is loaded with what it needs when one of its functions is first called: the
stub beside this file lists them all (SPEC 1 of Scientific Python).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
