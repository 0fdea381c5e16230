"""A Redis that is away or refuses is one kind of error, and is waited for as long as one likes."""

import threading
from collections.abc import Callable, Iterator

import pytest
import redis

from app.base.redis_connection import REFUSALS, RefusedError, connect, redis_fault
from app.base.transactions import execute_once
from tests.conftest import wait_until
from workers.serve.embedded_redis import EmbeddedRedis

Redis = redis.Redis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def connection(server: EmbeddedRedis) -> Iterator[Redis]:
    with connect(server.url) as connection:
        connection.flushall()
        yield connection


@pytest.fixture(params=["READONLY", "OOM", "NOREPLICAS"])
def refusal(request: pytest.FixtureRequest, connection: Redis) -> Iterator[str]:
    """Redis refuses to write, in one way after the other; the message that it is told by."""
    code = str(request.param)
    refuse(connection, code)
    yield REFUSALS[code]
    relent(connection)


def refuse(connection: Redis, code: str) -> None:
    if code == "READONLY":
        connection.replicaof("127.0.0.1", "1")
    elif code == "OOM":
        connection.config_set("maxmemory", 1)
    else:
        connection.config_set("min-replicas-to-write", 1)


def relent(connection: Redis) -> None:
    connection.replicaof("NO", "ONE")
    connection.config_set("maxmemory", 0)
    connection.config_set("min-replicas-to-write", 0)


def by_script(connection: Redis) -> None:
    connection.register_script("return redis.call('SET', KEYS[1], 1)")(keys=["key"])


def by_transaction(connection: Redis) -> None:
    with connection.pipeline() as pipeline:
        pipeline.set("key", 1).incr("key").execute()


def by_watched_transaction(connection: Redis) -> None:
    execute_once(connection, lambda pipeline: pipeline.set("key", 1))


WAYS: list[Callable[[Redis], object]] = [
    lambda connection: connection.set("key", 1),
    by_script,
    by_transaction,
    by_watched_transaction,
]


@pytest.mark.parametrize("way", WAYS, ids=["command", "script", "transaction", "watched"])
def test_a_refusal_is_told_as_what_it_is(
    connection: Redis, refusal: str, way: Callable[[Redis], object]
):
    with pytest.raises(RefusedError) as caught:
        way(connection)
    assert redis_fault(caught.value) == str(caught.value) == refusal
    # The connection is as good as new.
    assert connection.get("key") is None


@pytest.mark.parametrize("way", WAYS, ids=["command", "script", "transaction", "watched"])
def test_a_patient_one_goes_on_when_redis_relents(
    server: EmbeddedRedis, connection: Redis, refusal: str, way: Callable[[Redis], object]
):
    with connect(server.url, patience_s=60) as patient:
        thread = threading.Thread(target=way, args=(patient,))
        thread.start()
        before = connection.info("stats")["total_error_replies"]
        wait_until(lambda: connection.info("stats")["total_error_replies"] > before + 6)
        relent(connection)
        thread.join(20)
        assert not thread.is_alive()
    assert connection.exists("key")


def test_an_error_of_ours_is_an_error(connection: Redis):
    connection.set("key", "text")
    with pytest.raises(redis.exceptions.ResponseError) as caught:
        connection.incr("key")
    assert redis_fault(caught.value) is None


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("MISCONF Errors writing to the AOF file: No space left on device", "MISCONF"),
        ("UNBLOCKED force unblock from blocking operation, instance state changed", "UNBLOCKED"),
        ("ERR Error running script: @user_script: 5: -OOM command not allowed", "OOM"),
        ("BUSY Redis is busy running a script.", "BUSY"),
        ("BUSYGROUP Consumer Group name already exists", None),
        ("ERR the word OOMPH", None),
    ],
)
def test_what_redis_says_is_understood(said: str, fault: str | None):
    assert redis_fault(redis.exceptions.ResponseError(said)) == (fault and REFUSALS[fault])


def test_a_password_that_is_wrong_or_missing_is_told(connection: Redis, server: EmbeddedRedis):
    connection.config_set("requirepass", "open sesame")
    try:
        wrong = server.url.replace("unix://", "unix://:wrong@")
        for url, code in ((server.url, "NOAUTH"), (wrong, "WRONGPASS")):
            with connect(url) as stranger, pytest.raises(redis.exceptions.ConnectionError) as error:
                stranger.get("key")
            assert redis_fault(error.value) == REFUSALS[code]
    finally:
        connection.config_set("requirepass", "")


def test_without_patience_a_server_that_is_away_is_told():
    with connect("redis://127.0.0.1:1/0") as away:
        with pytest.raises(redis.exceptions.ConnectionError) as error:
            away.get("key")
        assert redis_fault(error.value) == "Redis is away."
