"""openhead."""
