"""Tables for other programs: one thing a file, ASCII headings, digits as the error allows."""
