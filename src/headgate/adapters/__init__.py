"""One folder per system. Adapters import core, types and sql, and their driver inside functions."""
