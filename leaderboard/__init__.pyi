from .table import build_leaderboard as build_leaderboard
