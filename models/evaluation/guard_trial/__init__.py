"""How many planted defects the guard sees."""
