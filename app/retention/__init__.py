"""When files and records go, and only where storage and Redis belong together."""
