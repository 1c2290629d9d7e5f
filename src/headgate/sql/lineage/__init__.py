"""Which columns a query's columns come from: one walk over its tree."""
