"""The document that clients are generated from."""

from app import problems
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
