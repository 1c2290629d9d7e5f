"""Building models, beside other tools that do: the same queries, the same engine, each in an environment of its own."""
