from .board import CLIPS as CLIPS
from .board import show_board as show_board
from .entries import ENTRIES as ENTRIES
from .entries import HOURS as HOURS
from .entries import make_entries as make_entries
from .entries import require_entries as require_entries
