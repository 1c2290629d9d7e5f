"""One module per bar: what is compared, and what must hold."""
