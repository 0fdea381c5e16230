"""The document that clients are generated from."""

from openapi_spec_validator import OpenAPIV31SpecValidator

from app import problems
from app.http.middleware.require_key import OPEN_PATHS
from app.main import create_app
from app.problems import Problem
from app.settings import Settings


def document(settings: Settings) -> dict:
    return create_app(settings).openapi()


def operations(document: dict) -> list[tuple[str, dict]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_valid(settings: Settings):
    assert not list(OpenAPIV31SpecValidator(document(settings)).iter_errors())


def test_every_operation_has_an_id_and_a_summary(settings: Settings):
    found = operations(document(settings))
    ids = [operation["operationId"] for _, operation in found]
    assert len(set(ids)) == len(ids) >= 9
    assert all(operation["summary"] for _, operation in found)


def test_every_error_is_a_problem_with_an_example(settings: Settings):
    for name, operation in operations(document(settings)):
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and status != "304":
                (content,) = answer["content"].items()
                assert content[0] == "application/problem+json", (name, status)
                assert content[1]["schema"]["$ref"].endswith("/ProblemDetails")
                assert content[1]["examples"]


def test_uploads_and_archives_are_binary(settings: Settings):
    found = document(settings)
    images = found["components"]["schemas"]["JobForm"]["properties"]["images"]
    assert images["items"] == {"type": "string", "format": "binary"}
    answer = found["paths"]["/v1/jobs/{job_id}/archive"]["get"]["responses"]["200"]
    schema = answer["content"]["application/zip"]["schema"]
    assert schema == {"type": "string", "format": "binary"}


def test_the_events_of_a_stream_are_described(settings: Settings):
    found = document(settings)
    answers = found["paths"]["/v1/jobs/{job_id}/events"]["get"]["responses"]
    assert {"200", "204", "404", "422", "503"} <= set(answers)
    item = answers["200"]["content"]["text/event-stream"]["x-itemSchema"]
    assert item["properties"]["data"]["contentSchema"]["$ref"].endswith("/JobEvent")
    assert "state" in found["components"]["schemas"]["JobEvent"]["properties"]


def test_uploads_are_parts_of_a_form_as_many_as_are_taken(settings: Settings):
    found = document(settings)
    (media_type, body), *others = found["paths"]["/v1/jobs"]["post"]["requestBody"][
        "content"
    ].items()
    assert media_type == "multipart/form-data"
    assert not others
    assert "image/png" in body["encoding"]["images"]["contentType"]
    images = found["components"]["schemas"]["JobForm"]["properties"]["images"]
    assert (images["minItems"], images["maxItems"]) == (1, settings.max_images)
    expires = found["components"]["schemas"]["JobForm"]["properties"]["expires_in_s"]
    assert (expires["minimum"], expires["maximum"]) == (1, settings.max_results_ttl_s)


def test_null_is_said_only_where_it_can_be_sent(settings: Settings):
    found = document(settings)
    inputs = [p["schema"] for _, o in operations(found) for p in o.get("parameters", [])]
    inputs += found["components"]["schemas"]["JobForm"]["properties"].values()
    assert len(inputs) > 20
    assert not [schema for schema in inputs if "null" in str(schema)]
    assert "null" in str(found["components"]["schemas"]["Job"]["properties"]["prompt"])


def test_links_lead_to_operations_with_a_job_id(settings: Settings):
    found = operations(document(settings))
    by_id = {operation["operationId"]: operation for _, operation in found}
    links = [
        link
        for _, operation in found
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) >= 10
    for link in links:
        names = {parameter["name"] for parameter in by_id[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= names


def test_every_problem_has_a_slug_of_its_own():
    def below(kind: type[Problem]) -> list[type[Problem]]:
        return [kind, *(k for sub in kind.__subclasses__() for k in below(sub))]

    kinds = below(Problem)[1:]
    slugs = [kind.slug for kind in kinds]
    assert len(set(slugs)) == len(slugs)
    tree = problems.__doc__ or ""
    for kind in kinds:
        assert kind.__name__ in tree
        if kind.slug != "unusable-image":
            assert kind.slug in tree.split()


def test_every_operation_but_the_open_ones_asks_for_a_key_and_may_refuse(settings: Settings):
    # Nothing is known of the address that it will listen at.
    found = create_app(settings).openapi()
    assert found["components"]["securitySchemes"]["apiKey"]["type"] == "http"
    assert found["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    for path, methods in found["paths"].items():
        for operation in methods.values():
            if path in OPEN_PATHS:
                assert "security" not in operation
                assert "401" not in operation["responses"]
            else:
                assert operation["security"] == [{"apiKey": []}]
                assert operation["responses"].keys() >= {"401", "429"}
    create = found["paths"]["/v1/jobs"]["post"]["responses"]
    examples = create["429"]["content"]["application/problem+json"]["examples"]
    assert examples.keys() == {"too-many-requests", "too-many-jobs"}
    assert create.keys() >= {"408", "413"}


def test_where_no_key_is_asked_for_it_is_optional(settings: Settings):
    found = create_app(settings, "127.0.0.1").openapi()
    assert found["paths"]["/v1/jobs"]["get"]["security"] == [{"apiKey": []}, {}]
