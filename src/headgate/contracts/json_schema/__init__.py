"""JSON Schema (2020-12, 2019-09, draft-07, draft-06) as a contract, in and out."""
