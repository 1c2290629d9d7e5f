"""Headgate: files through a contract into a warehouse, and not one row unaccounted for."""

__version__ = "0.1.0"
