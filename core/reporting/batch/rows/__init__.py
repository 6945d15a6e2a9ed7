"""Entries of a batch -> tables, and what stands out in them."""
