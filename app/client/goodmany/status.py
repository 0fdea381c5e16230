"""How a job stands, as the service told it last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Self

UNFINISHED = ("queued", "running")
TIMES = ("created_at", "started_at", "ended_at", "expires_at")


@dataclass(frozen=True, kw_only=True)
class JobStatus:
    """A job at one moment.

    Attributes:
        state: `queued`, `running`, `succeeded`, `failed`, `canceled` or `expired`.
        stage: what a running job is at; None before the start.
        percent: 0 to 100.
        queue_position: 1 is next; None unless it was queued when the service was asked.
        prompt: None before it is chosen.
        num_images: images that are ready so far.
        width, height: of the new images, in px; None if an old service does not tell.
        inputs: what was understood of each image, with warnings.
        held_out: the same of each image that the set is judged by.
        problem: why it failed, as RFC 9457 has it.
        raw: all that the service said, with what this client does not know.
    """

    id: str
    state: str
    stage: str | None = None
    percent: float = 0.0
    queue_position: int | None = None
    priority: str = "interactive"
    object_name: str = ""
    prompt: str | None = None
    num_images_requested: int = 0
    num_images: int = 0
    width: int | None = None
    height: int | None = None
    seed: int = 0
    inputs: Sequence[Mapping[str, Any]] = ()
    held_out: Sequence[Mapping[str, Any]] = ()
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    problem: Mapping[str, Any] | None = None
    raw: Mapping[str, Any]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The job object of the API.

        Raises:
            KeyError, ValueError: that is none.
        """
        if not {"id", "state", "links"} <= document.keys():
            raise KeyError("no job")
        known = {field.name for field in fields(cls)}
        told = {name: value for name, value in document.items() if name in known}
        times = {
            name: datetime.fromisoformat(told[name]) for name in TIMES if told.get(name) is not None
        }
        return cls(**{**told, **times, "raw": document})

    def after(self, event: Mapping[str, Any]) -> Self:
        """The job after one of its events; what it does not speak of is as it was."""
        names = ("state", "stage", "percent", "prompt", "num_images")
        told = {name: event[name] for name in names if name in event}
        return replace(self, **told, queue_position=None, raw={**self.raw, **told})

    @property
    def is_over(self) -> bool:
        """Nothing more will be done for the job."""
        return self.state not in UNFINISHED

    @property
    def progress(self) -> tuple[bool, bool, float]:
        """How far it is, to be compared with the same job at another moment."""
        return self.is_over, self.state != "queued", self.percent
