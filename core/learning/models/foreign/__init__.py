"""Weight files of others: read safely, told by names and shapes, described in notes."""
