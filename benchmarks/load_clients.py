"""Clients of a load test on plain asyncio connections, which cost little beside the server."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

ANSWER_WITHIN_S = 60.0


@dataclass
class Findings:
    """What all clients saw: seconds by kind of request, what went wrong, the server's CPU time."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0


@dataclass(frozen=True)
class Load:
    """One kind of request and how often each of its clients sends it.

    Args:
        kind: the name in the findings.
        num_clients: each with a connection of its own.
        every_s: from the start of one request to the start of the next.
        make: the request's bytes, made anew for each request.
        status: the only right answer.
    """

    kind: str
    num_clients: int
    every_s: float
    make: Callable[[], bytes]
    status: int


class Connection:
    """One connection that is kept alive."""

    def __init__(self, port: int):
        self.port = port

    async def __aenter__(self) -> "Connection":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of one request; the body must have a declared length."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        return int(head.split()[1]), await self.reader.readexactly(length)


def request(method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
    """A request's bytes; `headers` are lines that end with CR LF."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def run_window(port: int, loads: list[Load], seconds: float, found: Findings) -> None:
    """All clients of all loads at once, for so long."""
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as clients:
        for load in loads:
            for _ in range(load.num_clients):
                clients.create_task(_send(port, load, until, found))


async def _send(port: int, load: Load, until: float, found: Findings) -> None:
    next_start = time.monotonic() + random.uniform(0, load.every_s)
    try:
        async with Connection(port) as connection:
            while next_start < until:
                await asyncio.sleep(max(0.0, next_start - time.monotonic()))
                content, start = load.make(), time.monotonic()
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    status, body = await connection.ask(content)
                found.seconds[load.kind].append(time.monotonic() - start)
                if status != load.status:
                    found.errors[f"{load.kind}: {status} {body[:200].decode()}"] += 1
                next_start = max(start + load.every_s, time.monotonic())
    except (OSError, EOFError, TimeoutError) as error:
        found.errors[f"{load.kind}: {error!r}"] += 1


async def follow(port: int, path: str, found: Findings) -> None:
    """Reads server-sent events until it is canceled; an end before that is an error."""
    try:
        async with Connection(port) as connection:
            connection.writer.write(request("GET", path))
            while line := await connection.reader.readline():
                if line.startswith(b"HTTP/1.1") and b" 200 " not in line:
                    found.errors[f"events: {line.decode().strip()}"] += 1
                if line.startswith(b"data:"):
                    found.seconds["events"].append(0.0)
            found.errors["events: ended"] += 1
    except OSError as error:
        found.errors[f"events: {error!r}"] += 1
