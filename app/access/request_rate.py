"""How many requests a key may send: a bucket of tokens that fills up again, counted in Redis.

A full bucket holds a minute's requests; they may come at once, and come back one by one over the
next minute. Kept as the generic cell rate algorithm has it: one number, the time at which the
bucket will be full. Redis runs the script without a break, so that any number of API processes
count together.

    goodmany:request-rate:{key id}   string: when the bucket is full, in seconds since 1970
"""

import math
from dataclasses import dataclass
from typing import cast

import redis

from app.problems import TooManyRequests

WINDOW_S = 60

# KEYS: the bucket. ARGV: its size. Returns whether there was a token, how many are left, and the
# seconds until the next one if there is none, until the bucket is full otherwise.
TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local step = %d / ARGV[1]
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)) + step
local wait = full_at - %d - now
if wait > 1e-6 then return {0, 0, string.format('%.6f', wait)} end
redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'EX', %d)
return {1, math.floor(1e-6 - wait / step), string.format('%.6f', full_at - now)}
""".replace("%d", str(WINDOW_S))


@dataclass(frozen=True)
class Allowance:
    """What a key has left.

    Attributes:
        limit: requests a minute.
        remaining: requests that could be sent now.
        reset_s: seconds until there are more: until all are back, or at 0 until there is one.
    """

    limit: int
    remaining: int
    reset_s: int

    @property
    def headers(self) -> dict[str, str]:
        """As a client is told. Source: draft-ietf-httpapi-ratelimit-headers-10."""
        return {
            "RateLimit-Policy": f'"key";q={self.limit};w={WINDOW_S}',
            "RateLimit": f'"key";r={self.remaining};t={self.reset_s}',
        }


class RequestRate:
    """Counts the requests of each key.

    Args:
        connection: to Redis.
        limit: requests a minute; 0 for any number.
    """

    def __init__(self, connection: redis.Redis, limit: int):
        self.limit = limit
        self._take = connection.register_script(TAKE)

    def take(self, key_id: str) -> Allowance | None:
        """Counts one request; what is left, None without a limit.

        Raises:
            TooManyRequests: there was none left; this one is not counted.
        """
        if not self.limit:
            return None
        answer = self._take(keys=[f"goodmany:request-rate:{key_id}"], args=[self.limit])
        taken, remaining, seconds = cast(tuple[int, int, bytes], answer)
        allowance = Allowance(self.limit, remaining, math.ceil(float(seconds)))
        if not taken:
            raise TooManyRequests(
                f"A key may send {self.limit} requests a minute.",
                headers={"Retry-After": str(allowance.reset_s), **allowance.headers},
            )
        return allowance
