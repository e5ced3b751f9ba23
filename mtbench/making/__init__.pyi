from .folder import create_benchmark as create_benchmark
from .released import LAYOUTS as LAYOUTS
from .released import import_benchmark as import_benchmark
from .word_lists import make_word_lists as make_word_lists
