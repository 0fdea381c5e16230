"""What a command is told that finds no Redis; known without Redis's client."""


class RedisUnreachableError(RuntimeError):
    """There is no Redis, or none that does what it is told; the message says which."""
