"""What images a request may bring, counted over all ways by which it brings them."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.problems import ImageTooLarge, TooManyImages, UploadTooLarge
from app.settings import Settings


@dataclass
class ImageRoom:
    """What is left; for one request and one thread.

    Attributes:
        num_images: how many more.
        num_bytes: of all that come, as image files: unpacked, if they were packed.
        image_bytes: of each.
    """

    num_images: int
    num_bytes: int
    image_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> "ImageRoom":
        """All that the operator allows one request."""
        return cls(settings.max_images, settings.max_upload_bytes, settings.max_image_bytes)

    def take(self, sizes: Sequence[int]) -> None:
        """Images of these sizes come.

        Args:
            sizes: in bytes, of each; nobody reads more than that.

        Raises:
            TooManyImages, ImageTooLarge, UploadTooLarge: there is no room for them.
        """
        if len(sizes) > self.num_images:
            raise TooManyImages(
                f"There is room for {self.num_images} more images in this request, and not for "
                f"{len(sizes)}."
            )
        if max(sizes, default=0) > self.image_bytes:
            raise ImageTooLarge(f"{max(sizes)} bytes; at most {self.image_bytes} are read.")
        if sum(sizes) > self.num_bytes:
            raise UploadTooLarge(
                f"There is room for {self.num_bytes} more bytes of images in this request, and not "
                f"for {sum(sizes)}, unpacked."
            )
        self.num_images -= len(sizes)
        self.num_bytes -= sum(sizes)
