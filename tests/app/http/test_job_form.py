"""A form as browsers send it: blank fields were left open, lists may stand in one field."""

from itertools import product

import httpx2
import pytest

from app.jobs.model import JobRequest
from app.jobs.store import JobStore
from tests.app.http.hostile_requests import MULTIPART, NUT, image, join, text
from tests.conftest import encode, texture

PNG = encode(texture())
OPTIONAL = sorted(JobRequest.model_fields.keys() - {"object_name"})


def submit(api: httpx2.Client, *fields: tuple[str, str]) -> httpx2.Response:
    parts = [(name, (None, value)) for name, value in (("object_name", "nut"), *fields)]
    return api.post("/v1/jobs", files=[*parts, ("images", ("a.png", PNG))])


def recorded(api: httpx2.Client, store: JobStore, *fields: tuple[str, str]) -> JobRequest:
    job = submit(api, *fields).raise_for_status().json()
    return JobRequest.model_validate_json(store.get_record(job["id"])["request"])


def test_a_blank_field_is_a_missing_field(api: httpx2.Client, store: JobStore):
    plain = recorded(api, store)
    for name, blank in product(OPTIONAL, ("", " ", "\t\n ")):
        assert recorded(api, store, (name, blank)) == plain, (name, blank)
    assert recorded(api, store, *[(name, "") for name in OPTIONAL]) == plain


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_name_is_a_missing_name(api: httpx2.Client, blank: str):
    answer = api.post(
        "/v1/jobs", files=[("object_name", (None, blank)), ("images", ("a.png", PNG))]
    )
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["field"], fault["code"]) == (422, "object_name", "missing")


def test_a_file_input_in_which_nothing_was_chosen_is_no_image(api: httpx2.Client, store: JobStore):
    headers = {"content-type": MULTIPART}
    nothing = image(file_name="", content=b"", kind=b"application/octet-stream")
    for blank in (nothing, text("images", "")):
        body = join([NUT, blank, image(), blank])
        job = api.post("/v1/jobs", content=body, headers=headers).raise_for_status().json()
        assert store.get_record(job["id"])["num_inputs"] == "1"
        answer = api.post("/v1/jobs", content=join([NUT, blank]), headers=headers)
        assert answer.json()["type"].endswith("no-images")


def test_a_blank_field_that_nobody_knows_is_still_unknown(api: httpx2.Client):
    answer = submit(api, ("colour", ""))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "colour"


@pytest.mark.parametrize(
    "fields",
    [
        ["rotate", "flip_horizontal"],
        ["rotate,flip_horizontal"],
        [" rotate , flip_horizontal ,"],
        ["rotate", "", "flip_horizontal"],
        ["rotate,", ",flip_horizontal"],
    ],
)
def test_a_list_is_repeated_fields_or_commas(
    api: httpx2.Client, store: JobStore, fields: list[str]
):
    asked = recorded(api, store, *[("invariances", field) for field in fields])
    assert asked.invariances == ["rotate", "flip_horizontal"]


@pytest.mark.parametrize("fields", [[""], [","], [" , "], ["", ""]])
def test_an_empty_list_is_no_list(api: httpx2.Client, store: JobStore, fields: list[str]):
    asked = recorded(api, store, *[("invariances", field) for field in fields])
    assert asked.invariances is None


def test_one_wrong_word_of_a_list_is_named(api: httpx2.Client):
    answer = submit(api, ("invariances", "rotate,melt"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "invariances.1"


def test_of_a_field_that_came_twice_the_blank_one_does_not_count(
    api: httpx2.Client, store: JobStore
):
    assert recorded(api, store, ("seed", ""), ("seed", "5")).seed == 5
    answer = submit(api, ("seed", "4"), ("seed", "5"))
    assert answer.json()["errors"][0]["code"] == "repeated"


def test_none_is_the_list_of_no_views(api: httpx2.Client, store: JobStore):
    assert recorded(api, store, ("invariances", "none")).invariances == []
    for fields in ("none,rotate", "rotate,none", "none,none"):
        assert submit(api, ("invariances", fields)).status_code == 422
