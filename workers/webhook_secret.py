"""The secret that signs webhooks: the setting's, or one that is made once and kept in Redis."""

import base64
import secrets
from typing import cast

import redis

from app.settings import Settings

SECRET_KEY = "goodmany:webhook-secret"
PREFIX = "whsec_"
NUM_BYTES = 32


def webhook_secret(settings: Settings, connection: redis.Redis) -> str:
    """`whsec_...`, the same for every process of the service."""
    if settings.webhook_secret:
        return settings.webhook_secret
    made = PREFIX + base64.b64encode(secrets.token_bytes(NUM_BYTES)).decode()
    connection.set(SECRET_KEY, made, nx=True)
    return cast(bytes, connection.get(SECRET_KEY)).decode()
