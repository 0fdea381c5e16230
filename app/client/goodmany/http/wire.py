"""The network and the clock, in two kinds: one that blocks and one that awaits.

What the client does is written once (`service.py`), as coroutines over a `Wire`. With a
`BlockingWire` they never suspend, so that `run_blocking` is all that an ordinary client needs.
"""

import inspect
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeVar

import anyio
import anyio.to_thread
import httpx2

A = TypeVar("A")
T = TypeVar("T")


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing but a `BlockingWire`."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        coroutine.close()
    raise RuntimeError("The coroutine waits for something else.")


class Body(Protocol):
    """An answer that is read piece by piece."""

    response: httpx2.Response

    async def read(self) -> None:
        """All of it, into `response`."""

    async def next_bytes(self) -> bytes:
        """What comes next; empty at the end."""

    async def next_event(self) -> httpx2.ServerSentEvent | None:
        """The next server-sent event; None at the end."""


class Wire(Protocol):
    """What the client's logic needs of the world."""

    @property
    def http(self) -> httpx2.Client | httpx2.AsyncClient:
        """Builds requests; not to be used for sending."""

    async def send(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, read to its end."""

    def open(self, request: httpx2.Request) -> AbstractAsyncContextManager[Body]:
        """The answer, to be read while the block lasts."""

    async def pause(self, seconds: float) -> None:
        """Nothing is done for so long."""

    async def work(self, function: Callable[[A], T], argument: A) -> T:
        """The result of a function that takes its time."""

    async def tell(self, function: Callable[[A], Any], argument: A) -> None:
        """Calls a function of the user's."""


class BlockingWire:
    """Blocks the thread."""

    def __init__(self, http: httpx2.Client):
        self.http = http

    async def send(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, read to its end."""
        return self.http.send(request)

    @asynccontextmanager
    async def open(self, request: httpx2.Request) -> AsyncIterator[Body]:
        """The answer, to be read while the block lasts."""
        response = self.http.send(request, stream=True)
        try:
            yield BlockingBody(response)
        finally:
            response.close()

    async def pause(self, seconds: float) -> None:
        """Nothing is done for so long."""
        time.sleep(seconds)

    async def work(self, function: Callable[[A], T], argument: A) -> T:
        """The function's result."""
        return function(argument)

    async def tell(self, function: Callable[[A], Any], argument: A) -> None:
        """Calls the function."""
        function(argument)


class BlockingBody:
    """An answer that is read piece by piece."""

    def __init__(self, response: httpx2.Response):
        self.response = response
        self._bytes, self._events = response.iter_bytes(), iter(httpx2.EventSource(response))

    async def read(self) -> None:
        """All of it, into `response`."""
        self.response.read()

    async def next_bytes(self) -> bytes:
        """What comes next; empty at the end."""
        return next(self._bytes, b"")

    async def next_event(self) -> httpx2.ServerSentEvent | None:
        """The next server-sent event; None at the end."""
        return next(self._events, None)


class AwaitingWire:
    """Lets other tasks run."""

    def __init__(self, http: httpx2.AsyncClient):
        self.http = http

    async def send(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, read to its end."""
        return await self.http.send(request)

    @asynccontextmanager
    async def open(self, request: httpx2.Request) -> AsyncIterator[Body]:
        """The answer, to be read while the block lasts."""
        response = await self.http.send(request, stream=True)
        try:
            yield AwaitingBody(response)
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    async def pause(self, seconds: float) -> None:
        """Nothing is done here for so long."""
        await anyio.sleep(seconds)

    async def work(self, function: Callable[[A], T], argument: A) -> T:
        """The function's result, from another thread."""
        return await anyio.to_thread.run_sync(function, argument)

    async def tell(self, function: Callable[[A], Any], argument: A) -> None:
        """Calls the function, which may be a coroutine's."""
        told = function(argument)
        if inspect.isawaitable(told):
            await told


class AwaitingBody:
    """An answer that is read piece by piece."""

    def __init__(self, response: httpx2.Response):
        self.response = response
        self._bytes, self._events = response.aiter_bytes(), aiter(httpx2.EventSource(response))

    async def read(self) -> None:
        """All of it, into `response`."""
        await self.response.aread()

    async def next_bytes(self) -> bytes:
        """What comes next; empty at the end."""
        return await anext(self._bytes, b"")

    async def next_event(self) -> httpx2.ServerSentEvent | None:
        """The next server-sent event; None at the end."""
        return await anext(self._events, None)
