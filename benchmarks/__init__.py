"""The speed that Headgate promises, measured against plain DuckDB. `python -m benchmarks --help`."""
