"""What is told of a request's images, and where it is kept."""

import json

import pytest

from app.jobs.inputs import InputImage, understand
from app.jobs.model import JobRequest, new_job_id
from app.jobs.store import JobStore
from app.problems import InvalidRequest, ShapeMismatch
from tests.app.images.test_white import facts


def test_all_have_one_white():
    images = [facts(largest=1000), facts(largest=1100), facts(bits=8, storage_bits=8, largest=200)]
    told = understand(images, None, ["a", "b", "c"])
    assert [(image.bit_depth, image.white) for image in told] == [(12, 4095), (12, 4095), (8, 255)]


def test_where_white_is_zero_white_is_zero():
    (told,) = understand([facts(largest=4000, inverted=True)], None, ["a"])
    assert (told.bit_depth, told.white) == (12, 0)


def test_a_number_beyond_what_was_told_is_refused_by_name():
    images = [facts(largest=900), facts(largest=5000)]
    with pytest.raises(InvalidRequest, match="second has a pixel of 5000") as problem:
        understand(images, 12, ["first", "second"])
    assert problem.value.errors[0]["field"] == "bit_depth"
    assert understand(images, 14, ["first", "second"])[0].white == 2**14 - 1


def test_another_shape_is_refused_by_name():
    images = [facts(width=400, height=300), facts(width=300, height=400)]
    with pytest.raises(ShapeMismatch, match="300 x 400") as problem:
        understand(images, None, ["first", "second"])
    assert problem.value.errors[0]["field"] == "second"


@pytest.fixture
def told() -> list[InputImage]:
    image = facts(largest=900, low=100.0, high=800.0, spread=700.0)
    return understand([image, image], None, ["a", "b"])


def test_the_record_keeps_what_was_understood(store: JobStore, told: list[InputImage]):
    job = store.create(new_job_id(), JobRequest(object_name="nut"), 2, inputs=told)
    assert job.inputs == told == store.get(job.id).inputs
    assert [warning.same_as for warning in job.inputs[1].warnings] == [0]


def test_a_record_of_an_older_version_has_none(store: JobStore):
    job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 1).id
    key = f"goodmany:job:{job_id}"
    store.connection.hdel(key, "inputs")
    request = json.loads(store.get_record(job_id)["request"])
    del request["bit_depth"]
    store.connection.hset(key, "request", json.dumps(request))
    assert store.get(job_id).inputs == []
    assert store.get_record(job_id)["num_inputs"] == "1"


def test_a_record_of_a_newer_version_stays_readable(store: JobStore, told: list[InputImage]):
    job_id = store.create(new_job_id(), JobRequest(object_name="nut"), 2, inputs=told).id
    newer = [image.model_dump() for image in told]
    newer[0] |= {"sensor": "x"}
    newer[1]["warnings"][0] |= {"code": "moire", "where": [1, 2]}
    store.connection.hset(f"goodmany:job:{job_id}", "inputs", json.dumps(newer))
    assert store.get(job_id).inputs[1].warnings[0].code == "moire"
