"""What everything stands on: Redis' connection, network addresses. Knows nothing of goodmany."""
