"""The workers: they take jobs from Redis, run the method and write archives."""
