"""TODO by owner."""
