"""How far an explanation can be trusted: one kind of check per module."""
