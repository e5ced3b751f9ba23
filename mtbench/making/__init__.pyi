from .folder import create_benchmark as create_benchmark
from .word_lists import make_word_lists as make_word_lists
