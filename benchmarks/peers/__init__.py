"""Counting in a table at rest, beside other tools on the same rows. `python -m benchmarks.peers --help`."""
