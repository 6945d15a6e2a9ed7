"""Many micrographs: recipes, batches, reports and figures."""
