"""A key works from its making until it is revoked, and Redis never holds what opens the door."""

import pytest

from app.access.api_keys import KEYS_KEY, ApiKeys
from app.jobs.store import JobStore
from app.problems import Unauthorized


@pytest.fixture
def api_keys(store: JobStore) -> ApiKeys:
    return ApiKeys(store.connection)


def test_a_key_opens_for_its_id_until_it_is_revoked(api_keys: ApiKeys):
    key, text = api_keys.create("line 3")
    other, other_text = api_keys.create("line 4")
    assert text.startswith(f"gm_{key.id}_")
    assert api_keys.check(text) == key.id
    assert api_keys.revoke(key.id).revoked_at is not None
    with pytest.raises(Unauthorized, match="revoked"):
        api_keys.check(text)
    assert api_keys.check(other_text) == other.id


def test_the_secret_is_not_kept(api_keys: ApiKeys):
    _, text = api_keys.create("line 3")
    secret = text.rsplit("_", 1)[1]
    for redis_key in api_keys.connection.keys("goodmany:api-key*"):
        kept = api_keys.connection.dump(redis_key)
        assert kept is not None
        assert secret.encode() not in kept
    assert secret.encode() not in b"".join(api_keys.connection.hvals(KEYS_KEY))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text + "0",
        lambda text: text.replace("gm_", "xx_"),
        lambda text: text.replace("_", ""),
        lambda text: text.rsplit("_", 1)[0] + "_",
        lambda text: "gm_" + "0" * 12 + "_" + text.rsplit("_", 1)[1],
        lambda text: "gm_ÿ_ÿ",
    ],
)
def test_anything_else_is_no_key(api_keys: ApiKeys, spoil):
    _, text = api_keys.create("line 3")
    with pytest.raises(Unauthorized):
        api_keys.check(spoil(text))


def test_the_secret_of_one_key_does_not_open_for_another(api_keys: ApiKeys):
    (first, _), (_, second_text) = api_keys.create("a"), api_keys.create("b")
    with pytest.raises(Unauthorized):
        api_keys.check(f"gm_{first.id}_{second_text.rsplit('_', 1)[1]}")


def test_all_are_listed_by_age_and_revoking_twice_changes_nothing(api_keys: ApiKeys):
    made = [api_keys.create(name)[0] for name in ("a", "b", "c")]
    revoked = api_keys.revoke(made[1].id)
    assert api_keys.revoke(made[1].id) == revoked
    assert api_keys.all() == [made[0], revoked, made[2]]


def test_an_unknown_key_cannot_be_revoked(api_keys: ApiKeys):
    with pytest.raises(ValueError, match="no API key 123"):
        api_keys.revoke("123")


@pytest.mark.parametrize("name", ["", "  ", "a\x1b[2Jb", "two\nlines", "n" * 101])
def test_a_name_is_fit_to_be_printed(api_keys: ApiKeys, name: str):
    with pytest.raises(ValueError, match="printable"):
        api_keys.create(name)
