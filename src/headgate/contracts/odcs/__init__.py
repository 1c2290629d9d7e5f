"""Contracts of the Open Data Contract Standard (ODCS, https://bitol.io), in and out."""
