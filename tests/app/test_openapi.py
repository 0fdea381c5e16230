"""The document that clients are generated from."""

from app import problems
from app.access import OPEN_PATHS
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
