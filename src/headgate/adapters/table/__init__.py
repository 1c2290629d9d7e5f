"""A table that was landed raw, as a source."""
