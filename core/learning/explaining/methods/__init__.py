"""The ways to explain: a registry of methods, each one function of a `Scene`."""
