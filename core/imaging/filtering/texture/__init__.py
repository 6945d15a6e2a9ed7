"""Texture maps: co-occurrence properties of the window around every pixel."""
