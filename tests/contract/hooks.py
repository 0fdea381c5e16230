"""What schemathesis cannot know from the OpenAPI document: what a usable image is."""

import itertools
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext
from schemathesis.core.file_samples import iter_media_type_file_samples
from schemathesis.transport.serialization import Binary

from tests.app.http.test_zip_uploads import zipped
from tests.conftest import encode, texture

FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
}
KEY = "idempotency-key"
PICTURE = encode(texture())
# Its own samples are of one pixel.
SAMPLES = {
    sample
    for name in (*FORMATS, "application/zip")
    for _, sample in iter_media_type_file_samples(name)
}
_numbers = itertools.count()

for media_type, kind in FORMATS.items():
    pictures = [encode(texture(seed=seed), kind) for seed in range(3)]
    schemathesis.openapi.media_type(media_type, st.sampled_from(pictures))
schemathesis.openapi.media_type("application/zip", st.just(zipped(a=PICTURE)))


def usable(image: object) -> object:
    data = image.data if isinstance(image, Binary) else image
    if isinstance(data, bytes):
        return Binary(PICTURE if data in SAMPLES else data)
    return image


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Makes valid what is meant to be valid; what is wrong on purpose stays so."""
    meant_valid = case.meta is not None and case.meta.generation.mode.is_positive
    if isinstance(case.body, dict) and meant_valid:
        # Which places are allowed, which meanings a name has and which images differ enough from
        # each other, no document can tell.
        for name in ("images_url", "sense", "held_out_images"):
            case.body.pop(name, None)
    if isinstance(case.body, dict) and ("images" in case.body or meant_valid):
        images = case.body.get("images", [Binary(PICTURE)])
        # Of one media type's files it makes a single one, and beside a file it leaves texts empty.
        listed = images if isinstance(images, list) else [images]
        case.body["images"] = [usable(image) for image in listed]
        if meant_valid:
            case.body["object_name"] = case.body.get("object_name") or "hazelnut"
            if "callback_url" in case.body:
                # Nobody's: a job that ends calls it.
                case.body["callback_url"] = "https://nobody.invalid/hook"
    # The same key with another body is refused, rightly.
    if case.headers.get(KEY):
        case.headers[KEY] = f"{case.headers[KEY]}-{next(_numbers)}"[-255:]
    # Else it counts every body with bytes that a hook has touched as an invalid one.
    case._sync_validated_hashes()
