"""Each problem of the service is an exception of its own, and there is no other."""

from collections.abc import Iterator

import pytest

from app.problems import Problem, UnusableImage
from goodmany import JobStatus, ProblemError, errors
from goodmany.errors import JobFailedError, UnusableImageError, problem_error


def problems(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """All kinds that may happen; their bases never do."""
    if kind not in (Problem, UnusableImage):
        yield kind
    for special in kind.__subclasses__():
        yield from problems(special)


KINDS = {kind.slug: kind for kind in problems()}
JOB = JobStatus(id="7", state="failed", raw={})


def classes(kind: type[ProblemError] = ProblemError) -> list[type[ProblemError]]:
    below = [special for sub in kind.__subclasses__() for special in classes(sub)]
    return [*([kind] if kind.slug else []), *below]


def test_there_is_a_class_for_each_problem_and_no_other():
    assert sorted(kind.slug for kind in classes()) == sorted(KINDS)


@pytest.mark.parametrize("slug", KINDS)
def test_a_problem_raises_its_class(slug: str):
    problem = KINDS[slug]("a detail")
    error = problem_error(problem.as_dict())
    assert (type(error).slug, error.status, error.title) == (slug, problem.status, problem.title)
    assert "a detail" in str(error)
    assert isinstance(error, UnusableImageError) == isinstance(problem, UnusableImage)
    assert error.job is None
    assert problem_error(problem.as_dict(), JOB).job is JOB


def test_what_only_a_job_can_have_is_of_one_kind():
    own = {kind.slug for kind in KINDS.values() if kind.__mro__[1] is Problem}
    assert {kind.slug for kind in classes(JobFailedError)} <= own


def test_a_problem_of_a_newer_service_is_told_too():
    problem = {"type": "urn:goodmany:problem:tired", "title": "Tired", "detail": "Later."}
    error = problem_error(problem)
    assert (type(error), str(error)) == (ProblemError, "Tired: Later.")


def test_faults_say_where_they_are():
    faults = [{"field": "seed", "detail": "too large"}, {"field": "effort", "detail": "unknown"}]
    error = problem_error({"title": "Not valid", "detail": "seed, effort", "errors": faults})
    assert str(error) == "Not valid: seed: too large; effort: unknown"


def test_every_exception_is_in_the_modules_tree():
    named = {name for name in vars(errors) if name.endswith("Error")}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    own = [kind for kind in kinds if issubclass(kind, errors.GoodmanyError)]
    assert {kind.__name__ for kind in own} == named
