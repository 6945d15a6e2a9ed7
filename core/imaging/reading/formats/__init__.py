"""Formats that are decoded in this process: TIFF, pictures, NumPy files, Netpbm."""
