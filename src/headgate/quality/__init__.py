"""What data look like: profiles, keys and references that hold in them, rules that they suggest."""
