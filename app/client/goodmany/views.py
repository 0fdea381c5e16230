"""What may vary, before anything is made: the families of views of a person's own images."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from PIL import Image


@dataclass(frozen=True)
class ViewFamily:
    """One way in which good parts may differ.

    Attributes:
        name: as in a job's `invariances`.
        title: what it does, in plain words.
        belief: how likely such views are still good parts, 0 to 1.
        chosen: whether a job without `invariances` makes such views.
        reason: what the belief rests on.
        pictures: some such views, as JPEG files.
    """

    name: str
    title: str
    belief: float
    chosen: bool
    reason: str
    pictures: Sequence[bytes]

    def images(self) -> list[Image.Image]:
        """The pictures, for Pillow."""
        return [Image.open(io.BytesIO(picture)) for picture in self.pictures]


@dataclass(frozen=True)
class Views:
    """All families.

    Attributes:
        inputs: what was understood of each image, as in a job's.
        families: always in the same order.
        raw: all that the service said.
    """

    inputs: Sequence[Mapping[str, Any]]
    families: Sequence[ViewFamily]
    raw: Mapping[str, Any]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """What `POST /v1/views` answers."""
        families = [
            ViewFamily(
                name=family["name"],
                title=family["title"],
                belief=family["belief"],
                chosen=family["chosen"],
                reason=family["reason"],
                pictures=[base64.b64decode(url.partition(",")[2]) for url in family["images"]],
            )
            for family in document["families"]
        ]
        return cls(document["inputs"], families, document)

    @property
    def chosen(self) -> list[str]:
        """The names of those that a job makes by itself: a start for `invariances`."""
        return [family.name for family in self.families if family.chosen]
