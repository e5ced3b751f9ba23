"""The version of mtbench, as results record it."""

__version__ = "0.1.0"
