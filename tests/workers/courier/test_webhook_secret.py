"""One secret for all processes, given or made once."""

import base64

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from app.access.api_keys import ApiKeys
from app.jobs.store import JobStore
from app.settings import Settings
from workers.cli.failures import UsageError
from workers.cli.main import cli
from workers.courier.webhook_secret import SECRET_KEY, webhook_secret


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
    made = webhook_secret(with_secret, store.connection)
    assert made == webhook_secret(with_secret, store.connection)
    assert not store.connection.keys("*secret*")


def test_the_one_that_all_follow_from_is_handed_out_to_nobody(store: JobStore, settings: Settings):
    given = "whsec_" + "QUJD" * 10
    with_secret = settings.model_copy(update={"webhook_secret": given})
    for changed in (with_secret, settings):
        secrets = [webhook_secret(changed, store.connection, owner) for owner in ("", "a", "b")]
        root = changed.webhook_secret or store.connection.get(SECRET_KEY).decode()
        assert len({root, *secrets}) == 4


def test_the_command_prints_it(
    store: JobStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GOODMANY_REDIS_URL", settings.redis_url)
    key, _ = ApiKeys(store.connection).create("a machine")
    for arguments, owner in (([], ""), (["--key", key.id], key.id)):
        answer = CliRunner().invoke(cli, ["webhook-secret", *arguments])
        assert answer.output == webhook_secret(settings, store.connection, owner) + "\n"
    unknown = CliRunner().invoke(cli, ["webhook-secret", "--key", "nobody"])
    assert isinstance(unknown.exception, UsageError)


@pytest.mark.parametrize("secret", ["whsec_", "secret", "whsec_short=", "whsec_" + "!" * 40])
def test_a_weak_secret_is_refused(secret: str):
    with pytest.raises(ValidationError):
        Settings(webhook_secret=secret)
