"""Two pictures compared under a slider."""
