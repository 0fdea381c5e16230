"""A request's images from their files, for a job and for the command line alike."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from app.files.decoders import Decoders
from app.files.image_archive import is_archive
from app.files.image_file import ImageFile, naming, open_images
from app.files.image_room import ImageRoom
from app.images.facts import ImageFacts
from app.images.white import decide_bits
from app.jobs.inputs import InputImage, understand
from app.settings import Settings
from workers.generation.held_out import HeldOut
from workers.generation.method_request import cut_to_shape


@dataclass(frozen=True)
class ReadInputs:
    """What a request's files hold.

    Attributes:
        images: RGB 8-bit, upright, all with one white.
        understood: what is told of each.
    """

    images: list[Image.Image]
    understood: list[InputImage]

    def split(self, num_given: int) -> tuple["ReadInputs", HeldOut]:
        """The given ones, and those after them, which are held out, in the first one's shape."""
        size = self.images[0].size
        apart = [cut_to_shape(image, size) for image in self.images[num_given:]]
        given = ReadInputs(self.images[:num_given], self.understood[:num_given])
        return given, HeldOut(apart, self.understood[num_given:])


def read_inputs(
    files: Sequence[ImageFile],
    bit_depth: int | None,
    decoders: Decoders,
) -> ReadInputs:
    """The images.

    A file whose white depends on the other files is read twice, so that no more than one image is
    held that is not yet 8-bit.

    Args:
        files: each gives its bytes whenever it is asked for them.
        bit_depth: what the request says of files that have more than 8 bits.
        decoders: where they are decoded.

    Raises:
        UnusableImage, InvalidRequest: with the name of the first file that has a fault.
        DecoderUnavailable: the fault is ours.
    """
    read = [_read(file, decoders, None) for file in files]
    facts = [fact for fact, _ in read]
    understood = understand(facts, bit_depth, [file.name for file in files])
    images = []
    for number, bits in enumerate(decide_bits(facts, bit_depth)):
        image = read[number][1]
        if image is None or bits != facts[number].bits:
            _, image = _read(files[number], decoders, bits)
        assert image is not None
        images.append(image)
    return ReadInputs(images, understood)


@contextmanager
def open_files(paths: Sequence[str], settings: Settings) -> Iterator[list[ImageFile]]:
    """The image files of these paths, those in a ZIP one by one; open while the block lasts.

    Raises:
        UnusableImage, UploadTooLarge: a ZIP cannot be used, or holds too much.
    """
    room = ImageRoom.of(settings)
    with ExitStack() as opened:
        found: list[ImageFile] = []
        for path in paths:
            file = opened.enter_context(Path(path).open("rb"))
            if is_archive(file):
                found += open_images(path, file, room)
            else:
                file.close()
                found.append(ImageFile(path, Path(path).read_bytes))
        yield found


def _read(
    file: ImageFile, decoders: Decoders, bits: int | None
) -> tuple[ImageFacts, Image.Image | None]:
    """What is known of it; and the image, unless its white is still to be decided."""
    with naming(file.name), decoders.borrow() as decoder:
        reading = decoder.read(file.read(), bits=bits, pixels=True)
    if reading.pixels is None:
        return reading.facts, None
    return reading.facts, Image.frombytes("RGB", reading.facts.size, reading.pixels)
