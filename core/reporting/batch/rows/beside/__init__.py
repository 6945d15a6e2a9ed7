"""Tables beside the rows: what a hand measured, and how wrong the numbers of samples are."""
