"""Commands that are imported when they are called: `--help` waits for none of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

OURS = frozenset(("app", "workers", "models", "goodmany"))


class OnDemand(NamedTuple):
    """Where a command is, and what the list of all says of it.

    Attributes:
        place: `module:name` of a function or of a Typer app.
        summary: the first sentence of its help.
        extras: of the package, which bring what it needs beside the client.
    """

    place: str
    summary: str
    extras: str = ""


class LoadedWhenAsked(dict[str, Any]):
    """Name -> command, loaded when it is looked up."""

    def __init__(self, places: Mapping[str, OnDemand]):
        super().__init__(dict.fromkeys(places))
        self.places = places

    def __getitem__(self, name: str) -> Any:
        if super().__getitem__(name) is None:
            with needing(name, self.places[name].extras):
                self[name] = _load(name, self.places[name].place)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The command, or the default if there is none of the name."""
        # `dict.get` does not come by `__getitem__`.
        return self[name] if name in self else default  # noqa: SIM401

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        """All of them, loaded."""
        return ((name, self[name]) for name in self)


class CommandsOnDemand(TyperGroup):
    """A group of the commands in `places`; its own help needs no more than their summaries."""

    places: Mapping[str, OnDemand] = {}

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.commands = LoadedWhenAsked(self.places)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes the help."""
        with self._summaries():
            super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """What the shell may complete to."""
        with self._summaries():
            return super().shell_complete(ctx, incomplete)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command, which may import what it needs when it needs it."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            name = ctx.invoked_subcommand
            with needing(name, self.places[name].extras if name in self.places else ""):
                raise error

    @contextmanager
    def _summaries(self) -> Iterator[None]:
        """In the block, the commands are their summaries alone."""
        loaded = self.commands
        self.commands = {
            name: TyperCommand(name, help=place.summary) for name, place in self.places.items()
        }
        try:
            yield
        finally:
            self.commands = loaded


@contextmanager
def needing(name: str, extras: str) -> Iterator[None]:
    """A block of a command that needs these extras.

    Raises:
        MissingExtraError: they are not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if not extras or missing in OURS:
            raise
        from workers.cli.failures import MissingExtraError  # noqa: PLC0415, it imports much

        raise MissingExtraError(
            f"goodmany {name} needs {missing}, which is not installed: "
            f"pip install 'goodmany[{extras}]'."
        ) from error


def _load(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        app = typer.Typer(add_completion=False)
        app.command(name)(found)
        found = app
    command = get_command(found)
    command.name = name
    return command
