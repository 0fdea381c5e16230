"""What a job is: the request, the states it goes through, and what a client sees of it."""

import re
import secrets
import time
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl
from pydantic_core import PydanticCustomError

from app.jobs.inputs import InputImage

MAX_OBJECT_NAME_CHARS = 80
# Controls, invisible characters, changes of the writing's direction, private use: a class of regex.
WITHOUT_PICTURE = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ue000-\uf8ff\ufeff\ufff9-\ufffb"
)
JOB_ID = re.compile(r"[0-9a-f]{32}")


class JobState(StrEnum):
    """Where a job stands. The last four are final; only a finished job can still expire."""

    queued = "queued"
    running = "running"
    succeeded = "succeeded"
    failed = "failed"
    canceled = "canceled"
    expired = "expired"

    @property
    def is_over(self) -> bool:
        """Nothing more will be done for the job."""
        return self not in (JobState.queued, JobState.running)


class Invariance(StrEnum):
    """What may be done to the object's images without making a good part look bad."""

    rotate = "rotate"
    rotate_90 = "rotate_90"
    half_turn = "half_turn"
    flip_horizontal = "flip_horizontal"
    flip_vertical = "flip_vertical"
    shift = "shift"
    scale = "scale"
    brightness = "brightness"
    lighting = "lighting"


class Effort(StrEnum):
    """How much time is spent on adapting to the images and on rounds."""

    draft = "draft"
    standard = "standard"
    high = "high"


class JobStage(StrEnum):
    """What a running job is at, in this order."""

    prompt = "prompt"
    adapt = "adapt"
    rounds = "rounds"
    fill = "fill"
    archive = "archive"


def check_text(text: str) -> str:
    """The text without surrounding space.

    Raises:
        PydanticCustomError: it has a character without a picture, or no letter at all.
    """
    if re.search(f"[{WITHOUT_PICTURE}]", text):
        raise PydanticCustomError("control_characters", "must not hold control characters")
    if not any(character.isalpha() for character in text):
        raise PydanticCustomError("no_letter", "must hold at least one letter")
    return text.strip()


PlainText = Annotated[
    str,
    # The rules of `check_text` in the words of JSON Schema.
    Field(
        json_schema_extra={"pattern": rf"^[^{WITHOUT_PICTURE}]*\p{{L}}[^{WITHOUT_PICTURE}]*$"},
    ),
    AfterValidator(check_text),
]


ImageSize = Annotated[
    int | None,
    Field(
        ge=64,
        le=4096,
        description="Long side of the new images in px; left out, that of the first image, "
        "up to 4096. Longer where the short side would have less than 32.",
    ),
]
BitDepth = Annotated[
    int | None,
    Field(
        ge=8,
        le=16,
        description="How many bits of a pixel count in files that have more than 8; white is "
        "the largest such number. Decided from all images together unless it is said.",
        examples=[12],
    ),
]


ImagesUrl = Annotated[
    str | None,
    Field(
        max_length=1024,
        description="Images in a bucket, beside those that are sent or in their place: "
        "`s3://bucket/folder/` for all below it, or one object, an image or a ZIP. Only from where "
        "the operator allows it.",
        examples=["s3://line-3/good/2026-11/"],
    ),
]


class Preset(StrEnum):
    """By which rules the new images are made."""

    goodmany = "goodmany"
    varied = "varied"
    paper = "paper"

    @property
    def uses_sigma(self) -> bool:
        """Whether the generator's sigma varies images; else they are views as they are."""
        return self is not Preset.goodmany


class Priority(StrEnum):
    """Which queue a job waits in; every waiting interactive job goes before any batch job."""

    interactive = "interactive"
    batch = "batch"


def check_callback(url: HttpUrl) -> HttpUrl:
    """The URL as it is.

    Raises:
        PydanticCustomError: it holds a user name or a password, which would end up in logs.
    """
    if url.username is not None or url.password is not None:
        raise PydanticCustomError("credentials", "must not hold a user name or a password")
    return url


class JobRequest(BaseModel):
    """The request, without the images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    object_name: Annotated[
        PlainText,
        Field(
            min_length=1,
            max_length=MAX_OBJECT_NAME_CHARS,
            description="What the images show, in plain words.",
            examples=["hazelnut"],
        ),
    ]
    sense: Annotated[
        Annotated[PlainText, Field(max_length=100)] | None,
        Field(
            description="Which meaning the name has, of those that `GET /v1/prompts` lists under "
            "`senses`; left out, the likeliest for a part.",
            examples=["nut.n.03"],
        ),
    ] = None
    images_url: ImagesUrl = None
    num_images: Annotated[
        int, Field(ge=1, le=1000, description="How many new images are wanted.", examples=[16])
    ] = 16
    seed: Annotated[
        int, Field(ge=0, lt=2**32, description="Same request, same seed: the same images.")
    ] = 0
    image_size: ImageSize = None
    prompt: Annotated[
        Annotated[PlainText, Field(max_length=300)] | None,
        Field(description="Replaces the prompt that would be chosen."),
    ] = None
    invariances: Annotated[
        list[Invariance] | None,
        Field(
            description="Overrules what is decided from the images; repeat the field, or put "
            "commas between them. `none`, alone: none of them."
        ),
    ] = None
    bit_depth: BitDepth = None
    effort: Annotated[Effort, Field(description="Time against quality.")] = Effort.standard
    preset: Annotated[
        Preset,
        Field(
            description="`goodmany`: views of the images that good parts could show; `varied`: "
            "each varied by the generator besides; `paper`: the paper's rules, without a guard."
        ),
    ] = Preset.goodmany
    strict: Annotated[
        bool, Field(description="Fail when fewer images than wanted pass the normality guard.")
    ] = False
    priority: Annotated[
        Priority, Field(description="A batch job waits until no interactive one does.")
    ] = Priority.interactive
    callback_url: Annotated[
        HttpUrl | None,
        Field(description="Is told by a signed POST (Standard Webhooks) when the job has ended."),
        AfterValidator(lambda url: None if url is None else check_callback(url)),
    ] = None
    expires_in_s: Annotated[
        int | None,
        Field(ge=1, description="How long the results are kept after the end, in seconds."),
    ] = None


class JobLinks(BaseModel):
    """Where to go next; a link is null until there is something behind it."""

    self: str
    cancel: str | None
    archive: str | None
    preview: str | None
    variance: str | None
    deliveries: str | None


class FieldFault(BaseModel):
    """What is wrong with one field of a request."""

    field: Annotated[str, Field(examples=["images[3]"])]
    code: Annotated[str, Field(description="The rule that was broken; for programs.")] = ""
    detail: str


class ProblemDetails(BaseModel):
    """RFC 9457 problem details; `type` is stable and meant for programs."""

    type: Annotated[str, Field(examples=["urn:goodmany:problem:job-not-found"])]
    title: str
    status: int
    detail: str
    errors: Annotated[
        list[FieldFault], Field(description="Each fault in the request, with its place.")
    ] = []


class Job(BaseModel):
    """A job as a client sees it."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: JobState
    stage: Annotated[JobStage | None, Field(description="Null before the start.")]
    percent: Annotated[float, Field(ge=0, le=100)]
    queue_position: Annotated[
        int | None,
        Field(
            description="1 is next; null unless queued. Keys take turns: it may grow when another "
            "key's job comes in.",
            examples=[1],
        ),
    ]
    priority: Priority
    object_name: str
    prompt: Annotated[str | None, Field(description="Null before it is chosen.")]
    num_images_requested: int
    num_images: Annotated[int, Field(description="Images that are ready so far.")]
    width: Annotated[
        int | None,
        Field(description="Of the new images, in px; null for a job of 0.1.", examples=[256]),
    ]
    height: Annotated[
        int | None,
        Field(description="Of the new images, in px; null for a job of 0.1.", examples=[192]),
    ]
    seed: int
    request: Annotated[
        JobRequest | None,
        Field(description="All that was asked for; null for a job of another version."),
    ]
    inputs: Annotated[
        list[InputImage],
        Field(description="What was understood of each image; empty for a job of an old version."),
    ]
    held_out: Annotated[
        list[InputImage],
        Field(description="The same of each image that the set is judged by; mostly empty."),
    ]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime | None
    problem: Annotated[ProblemDetails | None, Field(description="Why the job failed.")]
    links: JobLinks

    @classmethod
    def links_of(
        cls, job_id: str, state: JobState, *, has_variance: bool, has_callback: bool
    ) -> JobLinks:
        """The links that lead somewhere in this state."""
        here = f"/v1/jobs/{job_id}"
        done = state is JobState.succeeded
        return JobLinks(
            self=here,
            cancel=None if state.is_over else f"{here}/cancel",
            archive=f"{here}/archive" if done else None,
            preview=f"{here}/preview" if done else None,
            variance=f"{here}/variance" if done and has_variance else None,
            deliveries=f"{here}/deliveries" if has_callback else None,
        )

    def below(self, prefix: str) -> "Job":
        """The job with links that begin with the prefix."""
        links = {name: link and prefix + link for name, link in self.links.model_dump().items()}
        return self.model_copy(update={"links": JobLinks(**links)})


class JobList(BaseModel):
    """One page of jobs, the newest first."""

    items: list[Job]
    next_cursor: Annotated[str | None, Field(description="Null on the last page.")]


def new_job_id(now_s: float | None = None) -> str:
    """32 hex digits that sort by the time of their making; 80 of the bits are random.

    Args:
        now_s: seconds since 1970, by the service's clock; without it by this host's.
    """
    milliseconds = int(1000 * (time.time() if now_s is None else now_s))
    return f"{milliseconds:012x}{secrets.token_hex(10)}"


def time_of_job_id(job_id: str) -> float:
    """When the id was made, in seconds since 1970."""
    return int(job_id[:12], 16) / 1000
