"""The secrets that sign webhooks, each API key's its own, so that none can forge another's.

All follow from one: the setting's, or one that is made once and kept in Redis. That one is handed
out to nobody: whoever had it could sign in the name of every key.
"""

import base64
import hashlib
import hmac
import secrets
from typing import cast

import redis

from app.settings import Settings

SECRET_KEY = "goodmany:webhook-secret"
PREFIX = "whsec_"
NUM_BYTES = 32


def webhook_secret(settings: Settings, connection: redis.Redis, owner: str = "") -> str:
    """`whsec_...`, the same for every process of the service.

    Args:
        settings: may hold the secret that all follow from.
        connection: holds it otherwise.
        owner: an API key's id; "" for jobs without a key.
    """
    secret = settings.webhook_secret or _kept_secret(connection)
    return _as_text(hmac.digest(key_bytes(secret), f"webhooks of {owner}".encode(), hashlib.sha256))


def key_bytes(secret: str) -> bytes:
    """What signs, as bytes."""
    return base64.b64decode(secret.removeprefix(PREFIX))


def _kept_secret(connection: redis.Redis) -> str:
    connection.set(SECRET_KEY, _as_text(secrets.token_bytes(NUM_BYTES)), nx=True)
    return cast(bytes, connection.get(SECRET_KEY)).decode()


def _as_text(key: bytes) -> str:
    return PREFIX + base64.b64encode(key).decode()
