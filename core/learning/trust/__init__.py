"""How far a map can be trusted: each check in a module of its own."""
