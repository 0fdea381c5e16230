"""How the shipped weights were made; no job needs it."""
