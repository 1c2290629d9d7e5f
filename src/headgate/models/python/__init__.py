"""Models that are functions: what their files say, what they are given, and what becomes of what they give."""
