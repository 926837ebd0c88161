"""Sessions with guided tests: what was done when, and what the sensors say of it."""
