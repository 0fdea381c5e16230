import io
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from models.job.request import GenerationRequest
from tests.workers.archive.made import archive_bytes, contents, made_request, made_result


def text_chunks(png: bytes) -> dict[str, str]:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return dict(image.text)


@pytest.mark.parametrize(
    ("preset", "kind", "source_type", "said"),
    [
        ("goodmany", "view", "algorithmicallyEnhanced", "by a program."),
        ("varied", "view", "algorithmicallyEnhanced", "by a program."),
        ("varied", "varied", "compositeWithTrainedAlgorithmicMedia", "varied by a trained model"),
        ("paper", "varied", "trainedAlgorithmicMedia", "made by a trained model"),
    ],
)
def test_every_generated_png_says_that_it_is_synthetic_and_how_it_was_made(
    preset: str, kind: str, source_type: str, said: str
):
    result = made_result(3)
    result = replace(result, images=[replace(image, kind=kind) for image in result.images])
    files = contents(archive_bytes(result, made_request(preset=preset)))
    pictures = [data for path, data in files.items() if path.endswith(".png")]
    assert len(pictures) == 3
    for data in pictures:
        chunks = text_chunks(data)
        assert b"iTXtXML:com.adobe.xmp\0\0\0\0\0" in data
        assert chunks["Comment"].startswith("Synthetic image: ")
        assert said in chunks["Comment"]
        xmp = ElementTree.fromstring(chunks["XML:com.adobe.xmp"])
        source = xmp.find(".//{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType")
        assert source is not None
        assert source.text == f"http://cv.iptc.org/newscodes/digitalsourcetype/{source_type}"


def test_reference_images_keep_their_pixels_and_nothing_else_of_their_file():
    uploaded = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at a secret place"
    original = made_request(1).images[0]
    original.save(uploaded, format="PNG", exif=exif)
    with Image.open(uploaded) as image:
        image.load()
        request = GenerationRequest(images=[image], object_name="nut")
        files = contents(archive_bytes(made_result(1), request, include_reference=True))
    reference = files["nut/reference/good/000.png"]
    assert b"secret" not in reference
    assert text_chunks(reference) == {}
    with Image.open(io.BytesIO(reference)) as read:
        assert np.array_equal(np.asarray(read), np.asarray(original))
