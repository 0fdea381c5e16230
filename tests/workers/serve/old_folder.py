"""What Redis 6.2, the embedded server of goodmany 0.1, left in its folder: one append-only file."""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import redis

OLD_FILE = "appendonly.aof"
# An RDB file of one string may stand before the commands: a file that was rewritten begins so.
RDB_HEAD, RDB_END = b"REDIS0009\xfe\x00", b"\xff" + bytes(8)


def resp(*words: bytes | str) -> bytes:
    """A command as a client sends it, and as the file keeps it."""
    raw = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in raw)


def rdb_preamble(key: bytes, value: bytes) -> bytes:
    """What a rewrite leaves of a single short string; its checksum is switched off."""
    return RDB_HEAD + b"\x00" + b"".join(bytes([len(w)]) + w for w in (key, value)) + RDB_END


def write_old_folder(folder: Path, commands: Iterable[bytes], preamble: bytes = b"") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / OLD_FILE).write_bytes(preamble + resp("SELECT", "0") + b"".join(commands))


def commands_of(connection: redis.Redis) -> list[bytes]:
    """Commands that make everything that this Redis holds, as it holds it."""
    return [_command_of(connection, key) for key in sorted(connection.keys("*"))]


def _command_of(connection: redis.Redis, key: bytes) -> bytes:
    match connection.type(key):
        case b"string":
            return resp("SET", key, cast(bytes, connection.get(key)))
        case b"hash":
            return resp("HSET", key, *_flat(sorted(connection.hgetall(key).items())))
        case b"list":
            return resp("RPUSH", key, *connection.lrange(key, 0, -1))
        case b"set":
            return resp("SADD", key, *sorted(connection.smembers(key)))
        case b"zset":
            members = connection.zrange(key, 0, -1, withscores=True)
            return resp("ZADD", key, *_flat((repr(score), name) for name, score in members))
        case b"stream":
            entries = connection.xrange(key)
            return b"".join(resp("XADD", key, i, *_flat(f.items())) for i, f in entries)
        case other:
            raise AssertionError(f"{key!r} is {other!r}")


def _flat(pairs: Iterable[tuple[bytes | str, bytes | str]]) -> list[bytes | str]:
    return [word for pair in pairs for word in pair]
