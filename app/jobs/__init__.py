"""Jobs: their records in Redis, their queues, events, limits and end. Knows no HTTP."""
