"""The filters a person can choose, one module per family: names, settings, ranges, references."""
