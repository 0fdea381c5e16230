"""Every setting of the service, read from `GOODMANY_*` variables once, by whoever starts it."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.base.addresses import Network, parse_networks
from app.base.s3_address import S3Address, parse_places


class Settings(BaseSettings):
    """What the API and the workers are told; passed in, never looked up.

    `.env.example` says of each field why one would change it.
    """

    model_config = SettingsConfigDict(env_prefix="GOODMANY_", frozen=True, extra="ignore")

    redis_url: str = "redis://127.0.0.1:6379/0"
    redis_server: str = "embedded"
    data_dir: Path = Path("data")
    storage_url: str = ""
    disk_reserve_bytes: int = Field(default=64 * 2**20, ge=0)
    log_level: str = "INFO"
    log_format: Literal["text", "json"] = "text"

    encoder: str = "embedded"
    vqgan: str = "embedded"
    device: str = "auto"

    max_images: int = Field(default=50, ge=1)
    max_image_bytes: int = Field(default=64 * 2**20, ge=1)
    max_upload_bytes: int = Field(default=256 * 2**20, ge=1)
    max_image_pixels: int = Field(default=50_000_000, ge=1)
    max_output_pixels: int = Field(default=4_000_000_000, ge=1)
    min_image_side_px: int = Field(default=32, ge=1)
    decoding_cpu_s: float = Field(default=20, gt=0)
    decoding_memory_bytes: int = Field(default=1536 * 2**20, ge=64 * 2**20)
    images_url_prefixes: str = ""
    upload_timeout_s: float = Field(default=600, gt=0)

    root_path: str = Field(default="", pattern=r"^((/[A-Za-z0-9._~-]+)+)?$")
    trusted_proxies: str = "127.0.0.1,::1"
    require_api_key: Literal["auto", "always", "never"] = "auto"
    max_requests_per_minute: int = Field(default=600, ge=0)
    max_unfinished_jobs: int = Field(default=100, ge=0)
    cors_origins: str = ""
    metrics_token: str = ""

    job_timeout_s: int = Field(default=3600, ge=1)
    max_retries: int = Field(default=1, ge=0)
    cancel_grace_s: float = Field(default=10.0, ge=0)
    shutdown_grace_s: float = Field(default=10.0, ge=0)
    outage_patience_s: float = Field(default=60.0, ge=0)
    results_ttl_s: int = Field(default=7 * 24 * 3600, ge=1)
    max_results_ttl_s: int = Field(default=30 * 24 * 3600, ge=1)
    records_ttl_s: int = Field(default=30 * 24 * 3600, ge=1)
    orphans_ttl_s: int = Field(default=24 * 3600, ge=0)

    webhook_secret: str = Field(default="", pattern=r"^(whsec_[A-Za-z0-9+/]{32,}={0,2})?$")
    webhook_allow_private: str = ""
    webhook_timeout_s: int = Field(default=10, ge=1)
    webhook_backoff_s: str = "5,30,120,600,3600,10800,43200"
    webhook_processes: int = Field(default=3, ge=1)

    @field_validator("webhook_allow_private")
    @classmethod
    def _check_networks(cls, text: str) -> str:
        parse_networks(text)
        return text

    @model_validator(mode="after")
    def _check_images_url_prefixes(self) -> Self:
        if self.images_url_places and self.storage_url.startswith("s3://"):
            jobs = S3Address.parse(self.storage_url)
            if any(jobs.is_within(one) or one.is_within(jobs) for one in self.images_url_places):
                raise ValueError("images_url_prefixes must not reach the jobs' own files")
        return self

    @field_validator("images_url_prefixes")
    @classmethod
    def _check_places(cls, text: str) -> str:
        parse_places(text)
        return text

    @field_validator("webhook_backoff_s")
    @classmethod
    def _check_backoff(cls, text: str) -> str:
        _parse_seconds(text)
        return text

    @property
    def images_url_places(self) -> tuple[S3Address, ...]:
        """The places in buckets from which images may be taken."""
        return parse_places(self.images_url_prefixes)

    @property
    def webhook_networks(self) -> tuple[Network, ...]:
        """The private networks that webhooks may be sent to."""
        return parse_networks(self.webhook_allow_private)

    @property
    def webhook_backoff(self) -> tuple[float, ...]:
        """Seconds before the second, third, ... try."""
        return _parse_seconds(self.webhook_backoff_s)

    @property
    def storage_address(self) -> str:
        """The fsspec address under which the files of all jobs lie."""
        return self.storage_url or str((self.data_dir / "files").absolute())


def _parse_seconds(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part.strip())
