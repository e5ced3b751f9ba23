from . import report as report
from .adding import add_result as add_result
from .board import build_leaderboard as build_leaderboard
