"""The real images of a request that nothing is made from: by them the set is judged."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from app.jobs.inputs import InputImage


@dataclass(frozen=True)
class HeldOut:
    """Real images that are held out.

    Attributes:
        images: RGB 8-bit, of the shape of the given ones.
        understood: what is told of each.
    """

    images: list[Image.Image]
    understood: list[InputImage]

    def named(self, rename: Callable[[InputImage], InputImage]) -> "HeldOut":
        """The same, called otherwise."""
        return HeldOut(self.images, [rename(image) for image in self.understood])

    def distinct(self) -> "HeldOut":
        """Each picture once: duplicates would lie within no distance of each other."""
        kept = [n for n, told in enumerate(self.understood) if told.same_as is None]
        return HeldOut([self.images[n] for n in kept], [self.understood[n] for n in kept])
