"""A made-up web shop, written as files: customers, products, orders, the faults of daily life, and the truth."""
