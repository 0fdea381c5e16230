"""One secret for all processes, given or made once."""

import base64

import pytest
from pydantic import ValidationError
from rich.console import Console
from typer.testing import CliRunner

from app.job_store import JobStore
from app.settings import Settings
from workers import cli
from workers.webhook_secret import webhook_secret


def test_made_once_and_kept(store: JobStore, settings: Settings):
    made = webhook_secret(settings, store.connection)
    assert made.startswith("whsec_")
    assert len(base64.b64decode(made.removeprefix("whsec_"))) == 32
    assert webhook_secret(settings, store.connection) == made
    store.connection.flushall()
    assert webhook_secret(settings, store.connection) != made


def test_the_setting_goes_first(store: JobStore, settings: Settings):
    given = "whsec_" + "QUJD" * 10
    with_secret = settings.model_copy(update={"webhook_secret": given})
    assert webhook_secret(with_secret, store.connection) == given
    assert not store.connection.keys("*secret*")


def test_the_command_prints_it_on_one_line(
    store: JobStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GOODMANY_REDIS_URL", settings.redis_url)
    monkeypatch.setattr(cli, "console", Console(width=20))
    answer = CliRunner().invoke(cli.cli, ["webhook-secret"])
    assert answer.output == webhook_secret(settings, store.connection) + "\n"


@pytest.mark.parametrize("secret", ["whsec_", "secret", "whsec_short=", "whsec_" + "!" * 40])
def test_a_weak_secret_is_refused(secret: str):
    with pytest.raises(ValidationError):
        Settings(webhook_secret=secret)
