"""Pictures that zoom and move together."""
