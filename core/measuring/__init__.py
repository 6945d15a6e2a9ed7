"""Labels and numbers: clusters, regions, attribution; runs without torch."""
