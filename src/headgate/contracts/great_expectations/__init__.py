"""Suites of Great Expectations (0.x and 1.x, JSON and Python source) as contracts."""
