"""What outlines, hulls and circles of regions tell: one module per kind."""
