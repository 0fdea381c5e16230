"""Where something lies in a bucket, and whether one place is below another: by whole names."""

import re
from dataclasses import dataclass
from typing import Self

# A bucket as S3 names it; a key without controls and without "." or ".." among its names.
ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>.*))?")
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class S3Address:
    """`s3://bucket/a/b` is an object, `s3://bucket/a/b/` is all that lies below.

    Attributes:
        bucket: its name.
        names: of the key, one after the other.
        is_folder: whether all below it is meant.
    """

    bucket: str
    names: tuple[str, ...]
    is_folder: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """The address that is written so; nothing in it is decoded.

        Raises:
            ValueError: it is none.
        """
        found = ADDRESS.fullmatch(text)
        key = found["key"] or "" if found else ""
        names = key.removesuffix("/").split("/") if key else []
        if found is None or CONTROLS.search(key) or {"", ".", ".."} & set(names):
            raise ValueError(f"{text!r} is no address of the form s3://bucket/folder/")
        return cls(found["bucket"], tuple(names), not names or key.endswith("/"))

    @property
    def path(self) -> str:
        """As the file system of S3 has it, `bucket/a/b`."""
        return "/".join((self.bucket, *self.names))

    def is_within(self, place: "S3Address") -> bool:
        """Whether this is the place or below it."""
        return self.bucket == place.bucket and self.names[: len(place.names)] == place.names


def parse_places(text: str) -> tuple[S3Address, ...]:
    """`s3://bucket/a, s3://other` as addresses.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(S3Address.parse(part.strip()) for part in text.split(",") if part.strip())
