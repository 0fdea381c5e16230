"""`goodmany serve`: Redis, worker, courier and API on one machine."""
