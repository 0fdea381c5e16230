"""What the code has and what the docs' tables list is the same, in both directions.

To add a kind of things: a table in the docs whose first cells name them in backticks, and a line in
`KINDS` that says where the table is and how the code lists them. What stands in an archive is
compared in `test_first_job.py`, with one that the real method has made.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any

import httpx2
import pytest
import typer
from prometheus_client.parser import text_string_to_metric_families
from pydantic_core import to_jsonable_python

from app.http.job_form import JobForm
from app.http.middleware.require_key import OPEN_PATHS
from app.http.middleware.stack import READ_HEADERS, TOLD_HEADERS
from app.http.view_families import ViewFamilies, ViewFamily
from app.http.views_form import ViewsForm
from app.images.oddities import Oddity
from app.jobs.deliveries import Delivery, DeliveryOutcome
from app.jobs.events import JobEvent
from app.jobs.evidence import Evidence, EvidenceKind, RejectedImage
from app.jobs.failures import ADVICE
from app.jobs.inputs import InputImage, InputWarning
from app.jobs.model import (
    Effort,
    FieldFault,
    Invariance,
    Job,
    JobLinks,
    JobStage,
    JobState,
    Priority,
    ProblemDetails,
)
from app.main import create_app
from app.problems import InvalidRequest, Problem, UnusableImage
from app.settings import Settings
from goodmany import Job as ClientJob
from goodmany import Result, errors
from models.evaluation.fidelity.rows import FIDELITY_ROWS
from models.evaluation.rows.plain import ROWS
from models.views.decision.evidence import Evidence as ViewEvidence
from tests.docs.pages import code_spans, headings, names, table
from workers.cli.main import cli

API, CLI, ARCHIVE, CLIENT = "docs/api.md", "docs/cli.md", "docs/archive.md", "docs/client.md"
OPERATIONS, METHOD, EVALUATION = "docs/operations.md", "docs/method.md", "docs/evaluation.md"
# Its subclasses are what happens.
BASE_PROBLEMS = {Problem, UnusableImage}


def problems(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """All kinds of problems that may happen."""
    if kind not in BASE_PROBLEMS:
        yield kind
    for special in kind.__subclasses__():
        yield from problems(special)


def failures() -> list[str]:
    """What a job fails with, but for what its sender could have been told at once."""
    return [kind.slug for kind in ADVICE if kind not in BASE_PROBLEMS | {InvalidRequest}]


def routes() -> list[str]:
    """Those of the OpenAPI document, and the pages that it leaves out."""
    paths = create_app(Settings()).openapi()["paths"]
    described = [f"{method.upper()} {path}" for path in paths for method in paths[path]]
    pages = [
        path for path in OPEN_PATHS - paths.keys() if not path.startswith(("/docs/", "/page/"))
    ]
    return [*described, *(f"GET {path}" for path in pages)]


def figures() -> list[str]:
    """What a manifest tells of the images' evidence; how uneven the light gets stands beside it."""
    return [field.name for field in fields(ViewEvidence) if field.name != "light_spread"]


KINDS: dict[str, tuple[str, str, Callable[[], Iterable[str]]]] = {
    "settings": (OPERATIONS, "Settings", lambda: map(variable, Settings.model_fields)),
    "routes": (API, "Routes", routes),
    "form fields": (API, "The form", lambda: JobForm.model_fields),
    "views form": (API, "What may vary, before a job", lambda: ViewsForm.model_fields),
    "views": (API, "The families", lambda: ViewFamilies.model_fields),
    "view family": (API, "A family", lambda: ViewFamily.model_fields),
    "job": (API, "The job object", lambda: Job.model_fields),
    "inputs": (API, "Its inputs", lambda: InputImage.model_fields),
    "input warnings": (API, "Its warnings", lambda: InputWarning.model_fields),
    "oddities": (API, "Kinds of warnings", lambda: Oddity),
    "links": (API, "Its links", lambda: JobLinks.model_fields),
    "states": (API, "States", lambda: JobState),
    "stages": (API, "Stages", lambda: JobStage),
    "events": (API, "Events", lambda: JobEvent.model_fields),
    "priorities": (API, "Priorities", lambda: Priority),
    "evidence": (API, "The evidence", lambda: Evidence.model_fields),
    "evidence pictures": (API, "Its pictures", lambda: EvidenceKind),
    "rejected images": (API, "Rejected images", lambda: RejectedImage.model_fields),
    "deliveries": (API, "Deliveries", lambda: Delivery.model_fields),
    "delivery outcomes": (API, "Outcomes of a try", lambda: DeliveryOutcome),
    "problem details": (API, "Problems", lambda: ProblemDetails.model_fields),
    "field faults": (API, "Faults in a request", lambda: FieldFault.model_fields),
    "problem slugs": (API, "Kinds of problems", lambda: (kind.slug for kind in problems())),
    "job failures": (API, "What to do when a job fails", failures),
    "request headers": (API, "Headers of a request", lambda: READ_HEADERS),
    "response headers": (API, "Headers of an answer", lambda: TOLD_HEADERS),
    "invariances": (METHOD, "Which views are good", lambda: Invariance),
    "figures of images": (ARCHIVE, "What the images say", figures),
    "efforts": (METHOD, "Effort", lambda: Effort),
    "evaluation rows": (EVALUATION, "Rows", lambda: ROWS),
    "fidelity rows": (EVALUATION, "Do they look like good parts", lambda: FIDELITY_ROWS),
}


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return f"GOODMANY_{field.upper()}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_docs_list_what_the_code_has(kind: str):
    page, heading, in_code = KINDS[kind]
    assert sorted(names(page, heading)) == sorted(in_code())


@pytest.mark.parametrize(
    ("heading", "kind"), [("A job by its id", ClientJob), ("The result", Result)]
)
def test_the_docs_list_what_the_clients_objects_have(heading: str, kind: type):
    documented = {name.partition("(")[0] for name in names(CLIENT, heading)}
    found = {name for name in vars(kind) if not name.startswith("_")}
    # What is set when they are made.
    assert documented - {"status", "job"} == found
    assert documented >= {"status"} or documented >= {"job"}


def test_the_docs_list_what_goes_wrong_beside_the_problems():
    kinds = errors.GoodmanyError.__subclasses__()
    assert {*names(CLIENT, "Errors"), "ProblemError"} == {kind.__name__ for kind in kinds}


def test_the_docs_have_the_settings_defaults():
    for row in table(OPERATIONS, "Settings"):
        (name,), default = code_spans(row[0]), "".join(code_spans(row[1]))
        field = name.removeprefix("GOODMANY_").lower()
        read = Settings.model_validate({field: default})
        assert getattr(read, field) == Settings.model_fields[field].default, name


def test_the_docs_have_the_problems_statuses():
    statuses = {kind.slug: str(kind.status) for kind in problems()}
    rows = table(API, "Kinds of problems")
    assert {code_spans(row[0])[0]: row[1] for row in rows} == statuses


def test_the_docs_have_the_form_fields_defaults():
    fields = JobForm.model_fields.items()
    # A list that is empty unless it is sent is none that one could write.
    told = [(n, f) for n, f in fields if not f.is_required() and f.default_factory is None]
    defaults = {name: field.get_default() for name, field in told}
    for row in table(API, "The form"):
        (name,), told = code_spans(row[0]), "".join(code_spans(row[1]))
        assert told == written(defaults.get(name)), name


def written(default: object) -> str:
    """A default as a client writes it in a form; nothing for none."""
    return "" if default is None else str(to_jsonable_python(default)).lower()


def test_the_docs_list_the_metrics(api: httpx2.Client):
    families = text_string_to_metric_families(api.get("/metrics").text)
    own = [f for f in families if f.name.startswith("goodmany_")]
    # The scrape's text adds to a counter when it was made; that is no metric of ours.
    in_code = {
        f"{f.name}_total" if f.type == "counter" else f.name
        for f in own
        if not f.name.endswith("_created")
    }
    assert sorted(names(OPERATIONS, "Metrics")) == sorted(in_code)


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """(name, command) of all that can be called."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for word, sub in command.commands.items():
        yield from commands(sub, f"{name} {word}")


COMMANDS = dict(commands(typer.main.get_command(cli), "goodmany"))


def test_the_docs_list_the_commands():
    documented = [code_spans(text)[0] for level, text in headings(CLI) if level == 2]
    assert sorted(documented) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_docs_list_the_commands_options(name: str):
    in_code = [
        word
        for parameter in COMMANDS[name].params
        for word in (
            [parameter.metavar or parameter.name.upper()]
            if parameter.param_type_name == "argument"
            else [*parameter.opts, *parameter.secondary_opts]
        )
    ]
    documented = names(CLI, f"`{name}`") if in_code else []
    assert sorted(documented) == sorted(in_code)
