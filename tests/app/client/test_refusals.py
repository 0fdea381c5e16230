"""What the service or the client refuses, and the error that it raises."""

from pathlib import Path

import pytest

from goodmany import Client, errors
from tests.app.client.service import Service
from tests.conftest import encode, texture

REFUSED = {
    "field": ({"num_images": 0}, errors.InvalidRequestError),
    "name": ({"object_name": "123"}, errors.InvalidRequestError),
    "no image": ({"images": b"no image"}, errors.NotAnImageError),
    "empty": ({"images": b""}, errors.EmptyImageError),
    "damaged": ({"images": encode(texture())[:300]}, errors.DamagedImageError),
    "small": ({"images": texture((8, 8))}, errors.ImageTooSmallError),
    "narrow": ({"images": texture((1280, 32))}, errors.ImageTooNarrowError),
    "shapes": ({"images": [texture(), texture((64, 128))]}, errors.ShapeMismatchError),
    "many": ({"images": [texture(seed=seed) for seed in range(9)]}, errors.TooManyImagesError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_raises_its_problem(client: Client, image: Path, case: str):
    changes, kind = REFUSED[case]
    with pytest.raises(kind) as refused:
        client.submit(**{"images": image, "object_name": "nut", **changes})
    assert refused.value.job is None
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"max_upload_bytes": 100}, errors.UploadTooLargeError),
        ({"max_image_pixels": 1000}, errors.ImageTooLargeError),
        ({"require_api_key": "always"}, errors.UnauthorizedError),
    ],
)
def test_limits_and_keys_raise_their_problem(
    service: Service, image: Path, settings: dict[str, object], kind: type[errors.ProblemError]
):
    with service.other(**settings) as address, Client(address) as client, pytest.raises(kind):
        client.submit(image, "nut")


def test_a_service_that_lies_elsewhere_has_no_such_route(service: Service, image: Path):
    with (
        Client(f"{service.address}/nowhere") as client,
        pytest.raises(errors.RouteNotFoundError),
    ):
        client.submit(image, "nut")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "nonsense", "http://[::1", "ftp://127.0.0.1"])
def test_what_is_no_address(url: str):
    with pytest.raises(ValueError, match="is no address of a service"):
        Client(url)


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "a b", "ä"])
def test_what_is_no_id(client: Client, job_id: str):
    with pytest.raises(ValueError, match="is no id of a job"):
        client.job(job_id)
