"""What can be asked for beside images and name: the fields of a job's form."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

Invariance = Literal[
    "rotate",
    "rotate_90",
    "half_turn",
    "flip_horizontal",
    "flip_vertical",
    "shift",
    "scale",
    "brightness",
    "lighting",
]
Effort = Literal["draft", "standard", "high"]
Preset = Literal["goodmany", "varied", "paper"]
Priority = Literal["interactive", "batch"]
# In a form an empty list would be a missing field.
NO_VIEWS = "none"


class JobOptions(TypedDict, total=False):
    """Options of a job; what is left out, or None, the service decides.

    Attributes:
        sense: which meaning the name has, such as `nut.n.03`, as `GET /v1/prompts` lists them.
        images_url: images in a bucket, `s3://...`, from where the service may take them.
        num_images: how many new images are wanted, 1 to 1000.
        seed: same request, same seed: the same images.
        image_size: long side of the new images in px.
        prompt: replaces the prompt that would be chosen.
        invariances: what may vary, in place of what the images say; an empty list for nothing.
        bit_depth: how many bits of a pixel count in images of more than 8.
        effort: time against quality.
        preset: by which rules the images are made.
        strict: fail when fewer images than wanted pass the guard.
        priority: a batch job waits until no interactive one does.
        callback_url: is told by a signed POST when the job has ended.
        expires_in_s: how long the results are kept after the end.
    """

    sense: str | None
    images_url: str | None
    num_images: int | None
    seed: int | None
    image_size: int | None
    prompt: str | None
    invariances: Sequence[Invariance] | None
    bit_depth: int | None
    effort: Effort | None
    preset: Preset | None
    strict: bool | None
    priority: Priority | None
    callback_url: str | None
    expires_in_s: int | None


def form_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as a form has them."""
    fields = {name: value for name, value in options.items() if value is not None}
    if "invariances" in fields:
        fields["invariances"] = list(fields["invariances"]) or NO_VIEWS
    return fields
