from .building import build_borrowed as build_borrowed
from .building import is_borrowed as is_borrowed
from .building import title as title
