"""The gate: splits what was read into rows to load and records to refuse, each with every reason."""
