from . import linked as linked
