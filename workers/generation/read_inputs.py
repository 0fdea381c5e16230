"""A request's images from their files, for a job and for the command line alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from app.files.decoders import Decoders
from app.images.facts import ImageFacts
from app.images.white import decide_bits
from app.jobs.inputs import InputImage, understand
from app.problems import UnusableImage


@dataclass(frozen=True)
class ReadInputs:
    """What a request's files hold.

    Attributes:
        images: RGB 8-bit, upright, all with one white.
        understood: what is told of each.
    """

    images: list[Image.Image]
    understood: list[InputImage]


def read_inputs(
    files: Sequence[Callable[[], bytes]],
    names: Sequence[str],
    bit_depth: int | None,
    decoders: Decoders,
) -> ReadInputs:
    """The images.

    A file whose white depends on the other files is read twice, so that no more than one image is
    held that is not yet 8-bit.

    Args:
        files: each gives its bytes whenever it is called.
        names: what their sender calls them.
        bit_depth: what the request says of files that have more than 8 bits.
        decoders: where they are decoded.

    Raises:
        UnusableImage, InvalidRequest: with the name of the first file that has a fault.
        DecoderUnavailable: the fault is ours.
    """
    read = [_read(*named, decoders, None) for named in zip(files, names, strict=True)]
    facts = [fact for fact, _ in read]
    understood = understand(facts, bit_depth, names)
    images = []
    for number, bits in enumerate(decide_bits(facts, bit_depth)):
        image = read[number][1]
        if image is None or bits != facts[number].bits:
            _, image = _read(files[number], names[number], decoders, bits)
        assert image is not None
        images.append(image)
    return ReadInputs(images, understood)


def _read(
    file: Callable[[], bytes], name: str, decoders: Decoders, bits: int | None
) -> tuple[ImageFacts, Image.Image | None]:
    """What is known of it; and the image, unless its white is still to be decided."""
    try:
        with decoders.borrow() as decoder:
            reading = decoder.read(file(), bits=bits, pixels=True)
    except UnusableImage as problem:
        raise problem.in_field(name) from None
    if reading.pixels is None:
        return reading.facts, None
    return reading.facts, Image.frombytes("RGB", reading.facts.size, reading.pixels)
