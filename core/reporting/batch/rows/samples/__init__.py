"""What is said of each sample: differences between samples, and how wrong numbers may be."""
