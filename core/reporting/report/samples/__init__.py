"""Parts of the report that are about samples: their differences, and how wrong numbers may be."""
