"""Pixels in, pixels out: reading, display, filters, texture, simulation."""
