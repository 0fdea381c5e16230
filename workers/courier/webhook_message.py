"""What a webhook says, and its signature.

Source: Standard Webhooks 1.0.0 (standardwebhooks.com), payload structure and signatures.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from app.jobs.record import read_as_ended
from workers.courier.webhook_secret import key_bytes


@dataclass(frozen=True)
class WebhookMessage:
    """One event. Every try has the same id and the same body.

    Attributes:
        id: what a receiver knows a repeated message by.
        event: job.succeeded, job.failed or job.canceled.
        url: where it goes.
        body: JSON.
    """

    id: str
    event: str
    url: str
    body: bytes

    @classmethod
    def of_job(cls, job_id: str, record: dict[str, str], prefix: str = "") -> "WebhookMessage":
        """The message of a job that has ended, as it then stood; a job ends only once.

        Args:
            job_id: of the job.
            record: its record.
            prefix: the path below which a proxy serves the API.
        """
        job = read_as_ended(job_id, record).below(prefix)
        event = f"job.{job.state}"
        payload = {
            "type": event,
            "timestamp": record.get("ended_at") or job.created_at.isoformat(),
            "data": job.model_dump(mode="json"),
        }
        body = json.dumps(payload, separators=(",", ":")).encode()
        return cls(f"msg_{job_id}", event, record["callback_url"], body)

    def headers(self, secret: str, now: datetime) -> dict[str, str]:
        """The headers of one try at this time."""
        timestamp = str(int(now.timestamp()))
        signed = b".".join((self.id.encode(), timestamp.encode(), self.body))
        signature = base64.b64encode(
            hmac.digest(key_bytes(secret), signed, hashlib.sha256)
        ).decode()
        return {
            "content-type": "application/json",
            "user-agent": "goodmany",
            "webhook-id": self.id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature}",
        }
