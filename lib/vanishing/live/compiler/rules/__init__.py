"""How each primitive becomes code: one module a family."""
