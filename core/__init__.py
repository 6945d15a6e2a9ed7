"""The headless half of Micrographia: everything but the screen.

Importing this package imports no torch and no streamlit.
"""

__version__ = "0.1.0"
