"""Leaderboards and reports, made from result files only."""
