"""A job's progress in the terminal: one bar, the stage, the prompt as soon as it is known."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from goodmany.status import JobStatus


class ProgressBar:
    """Shows stage and percent while it is open; a pipeline's callback as well.

    Args:
        console: where it is drawn.
    """

    def __init__(self, console: Console):
        self.console = console
        self.prompt: str | None = None
        self.next_line = 0.0
        self.progress = Progress(
            TextColumn("{task.description:>8}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[images]}"),
            console=console,
        )
        self.task = self.progress.add_task("queued", total=100, images="")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()

    def __call__(self, stage: str, percent: float, facts: dict[str, object]) -> None:
        """Draws the news."""
        prompt = facts.get("prompt")
        if prompt and prompt != self.prompt:
            self.prompt = str(prompt)
            self.progress.console.print(f'prompt: "{self.prompt}"', highlight=False, markup=False)
        if facts.get("num_images"):
            self.progress.update(self.task, images=f"{facts['num_images']} images")
        self.progress.update(self.task, description=stage, completed=percent)
        # In a log file there is no bar to redraw: a line for every ten percent tells that it lives.
        if not self.console.is_terminal and percent >= self.next_line:
            self.console.print(f"{stage} {percent:.0f}%", highlight=False)
            self.next_line = 10 * (percent // 10 + 1)

    def tell(self, status: JobStatus) -> None:
        """The same for the state of a service's job."""
        stage = status.stage or status.state
        if status.queue_position is not None and status.queue_position > 1:
            stage = f"no. {status.queue_position}"
        self(stage, status.percent, {"prompt": status.prompt, "num_images": status.num_images})


@contextmanager
def progress_display(
    wanted: bool | None, on_status: Callable[[JobStatus], Any] | None
) -> Iterator[Callable[[JobStatus], Any] | None]:
    """What is told of every change: a bar on the standard error, the user's function, or both.

    Args:
        wanted: whether there is a bar; None asks the terminal.
        on_status: the user's.
    """
    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter if wanted is None else wanted):
        yield on_status
        return
    with ProgressBar(console) as bar:

        def tell(status: JobStatus) -> Any:
            bar.tell(status)
            return None if on_status is None else on_status(status)

        yield tell
