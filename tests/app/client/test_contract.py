"""What the client knows of the service's words is what the service has, without importing it."""

from dataclasses import fields
from typing import get_args, get_type_hints

from app.http.view_families import ViewFamilies
from app.http.view_families import ViewFamily as ToldFamily
from app.jobs import model
from app.jobs.events import JobEvent
from goodmany import JobOptions, JobStatus, ViewFamily, Views
from goodmany.options import Effort, Invariance, Priority
from goodmany.status import UNFINISHED


def test_the_options_are_the_forms_fields():
    assert set(get_type_hints(JobOptions)) == model.JobRequest.model_fields.keys() - {"object_name"}


def test_the_words_are_the_services():
    assert set(get_args(Invariance)) == set(model.Invariance)
    assert set(get_args(Effort)) == set(model.Effort)
    assert set(get_args(Priority)) == set(model.Priority)
    assert set(UNFINISHED) == {state for state in model.JobState if not state.is_over}


def test_a_status_has_what_a_job_has():
    own = {field.name for field in fields(JobStatus)} - {"raw"}
    assert own == model.Job.model_fields.keys() - {"request", "links"}


def test_an_event_changes_all_that_it_speaks_of():
    job = JobStatus(id="7", state="queued", raw={})
    told = {"state": "running", "stage": "fill", "percent": 5.0, "prompt": "x", "num_images": 3}
    assert told.keys() == JobEvent.model_fields.keys()
    after = job.after(told)
    assert {name: getattr(after, name) for name in told} == told == after.raw


def test_a_view_family_is_the_services():
    own = {field.name for field in fields(ViewFamily)}
    assert own == ToldFamily.model_fields.keys() - {"images"} | {"pictures"}
    assert {field.name for field in fields(Views)} == {*ViewFamilies.model_fields, "raw"}
