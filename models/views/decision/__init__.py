"""Which views are believed to be good parts, and why."""
