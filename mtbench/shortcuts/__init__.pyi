from .listening import transcribe as transcribe
from .pictures import render as render
from .vertex_errors import fdd as fdd
from .vertex_errors import lve as lve
