"""Every member of RQ that is overridden, or used though it is private, as RQ 3.0 has it.

RQ promises neither; so its version is bounded in `pyproject.toml`, and this list says what to look
at before the bound is moved.
"""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest
import rq.executions
import rq.intermediate_queue
import rq.job
import rq.queue
import rq.registry
import rq.scheduler
import rq.timeouts
import rq.utils
import rq.worker
from rq.serializers import JSONSerializer
from rq.worker.base import BaseWorker

import workers
from app.base.redis_connection import connect
from workers.courier.processes import WebhookWorker
from workers.generation.child_worker import ChildWorker
from workers.generation.generation_job import GenerationJob
from workers.generation.priority_queue import PriorityQueue
from workers.generation.worker import WarmWorker
from workers.runtime.known_job import KnownJob
from workers.runtime.known_queue import KnownQueue
from workers.runtime.light_worker import LightWorker
from workers.serve.embedded_redis import EmbeddedRedis

OURS = (
    *(WarmWorker, ChildWorker, LightWorker, WebhookWorker),
    *(PriorityQueue, KnownQueue, KnownJob, GenerationJob),
)
BOOTSTRAP = (
    "(self, logging_level='INFO', date_format='%H:%M:%S', log_format='%(asctime)s %(message)s')"
)
PREPARE_JOB = "(self, job, remove_from_intermediate_queue=False)"
DEATH_PENALTY = "(timeout, exception=<class 'rq.timeouts.BaseTimeoutException'>, **kwargs)"
FAILURE = "(self, job, queue, started_job_registry=None, exc_string='', execution=None)"
FETCH_DEQUEUED = (
    "(cls, connection, queue_key, job_id, job_class=None, serializer=None, "
    "death_penalty_class=None)"
)
OVERRIDDEN = {
    "worker.base.BaseWorker.bootstrap": BOOTSTRAP,
    "worker.base.BaseWorker.get_heartbeat_ttl": "(self, job, working_time=0.0)",
    "worker.base.BaseWorker.handle_job_failure": FAILURE,
    "worker.base.BaseWorker.handle_warm_shutdown_request": "(self)",
    "worker.base.BaseWorker.heartbeat": "(self, timeout=None, pipeline=None)",
    "worker.base.BaseWorker.max_connection_wait_time": "attribute",
    "worker.base.BaseWorker.prepare_job_execution": PREPARE_JOB,
    "worker.base.BaseWorker.queue_class": "attribute",
    "worker.base.BaseWorker.run_maintenance_tasks": "(self)",
    "worker.base.BaseWorker.set_shutdown_requested_date": "(self)",
    "worker.base.BaseWorker.teardown": "(self)",
    "worker.worker_classes.SimpleWorker.get_heartbeat_ttl": "(self, job, working_time=0.0)",
    "worker.worker_classes.Worker.execute_job": "(self, job, queue)",
    "worker.worker_classes.Worker.fork_work_horse": "(self, job, queue)",
    "worker.worker_classes.Worker.kill_horse": "(self, sig=<Signals.SIGKILL: 9>)",
    "worker.worker_classes.Worker.monitor_work_horse": "(self, job, queue, execution)",
    "worker.worker_classes.Worker.wait_for_horse": "(self)",
    "queue.Queue._fetch_dequeued_job": FETCH_DEQUEUED,
    "queue.Queue.acquire_maintenance_lock": "(self)",
    "queue.Queue.lmove": "(cls, connection, queue_key, timeout)",
    "queue.Queue.lpop": "(cls, queue_keys, timeout, connection=None)",
    "job.Job.fetch": "(cls, id, connection=None, serializer=None)",
    "job.Job.fetch_many": "(cls, job_ids, connection, serializer=None)",
    "job.Job.func": "property",
    "job.Job.restore": "(self, raw_data)",
}
# Not private by name, and yet nothing that RQ describes: its worker's inner steps, its lists.
USED = {
    "worker.base.BaseWorker.maintain_heartbeats": "(self, job, execution)",
    "worker.base.BaseWorker.perform_job": "(self, job, queue, execution)",
    "worker.base.BaseWorker.prepare_execution": "(self, job)",
    "worker.base.BaseWorker.set_state": "(self, state, pipeline=None)",
    "worker.base.BaseWorker.execution": "property",
    "worker.base.BaseWorker.horse_pid": "property",
    "executions.Execution.fetch": "(cls, id, job_id, connection)",
    "intermediate_queue.IntermediateQueue.get_intermediate_queue_key": "(cls, queue_key)",
    "job.Job.dependents_key_for": "(cls, job_id)",
    "job.Job.instance": "property",
    "job.Job.key_for": "(cls, job_id)",
    "job.Job.should_retry": "property",
    "queue.Queue.intermediate_queue_key": "property",
    "queue.Queue.ready_job_registry": "property",
    "queue.Queue.registry_cleaning_key": "property",
    "queue.Queue.release_maintenance_lock": "(self)",
    "queue.Queue.scheduled_job_registry": "property",
    "queue.Queue.started_job_registry": "property",
    "scheduler.RQScheduler.acquire_locks": "(self, auto_start=False)",
    "scheduler.RQScheduler.enqueue_scheduled_jobs": "(self)",
    "scheduler.RQScheduler.get_locking_key": "(cls, name)",
    "scheduler.RQScheduler.release_locks": "(self)",
    "timeouts.UnixSignalDeathPenalty": DEATH_PENALTY,
    "utils.current_timestamp": "()",
    "utils.import_attribute": "(name)",
    "utils.now": "()",
}
# What an instance has once it is made.
OF_WORKER = ("_horse_pid", "_is_horse", "_stopped_job_id", "birth_date", "executions", "job_class")
OF_JOB = (
    *("_failure_callback_name", "_stopped_callback_name", "_success_callback_name", "webhooks"),
    *("enqueue_at_front_on_retry", "ended_at", "meta", "retries_left", "started_at", "timeout"),
)
OF_EXECUTION = ("_job",)


def describe(name: str) -> str:
    """A function's parameters without their types, or what else stands under the name."""
    module, *rest = name.split(".")
    found: object = import_module(f"rq.{module}")
    owner: object = None
    for part in rest:
        owner, found = found, getattr(found, part, None)
        if found is None:
            return "nothing"
    if inspect.isclass(owner):
        found = inspect.getattr_static(owner, rest[-1])
    if isinstance(found, property):
        return "property"
    function = getattr(found, "__func__", found)
    if not callable(function) or rest[-1].endswith("_class"):
        return "attribute"
    signature = inspect.signature(function)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def test_each_member_is_as_it_was():
    members = {**OVERRIDDEN, **USED}
    changed = [
        f"rq.{name}: {wanted} is now {describe(name)}"
        for name, wanted in members.items()
        if describe(name) != wanted
    ]
    assert not changed, "\n".join(changed)


def test_each_instance_has_what_is_used_of_it(redis_server: EmbeddedRedis):
    with connect(redis_server.url) as connection:
        instances = {
            BaseWorker([], connection=connection, serializer=JSONSerializer): OF_WORKER,
            rq.job.Job("a", connection=connection): OF_JOB,
            rq.executions.Execution("a", "b", connection=connection): OF_EXECUTION,
        }
        missing = [
            f"{type(instance).__name__} has no {name}"
            for instance, names in instances.items()
            for name in names
            if not hasattr(instance, name)
        ]
    assert not missing, "\n".join(missing)


def owner_of(ours: type, member: str) -> str | None:
    """The class of RQ whose member a class of ours replaces, as the list names it."""
    for base in ours.__mro__:
        if base.__module__.startswith("rq.") and member in vars(base):
            return f"{base.__module__.removeprefix('rq.')}.{base.__name__}.{member}"
    return None


def test_the_list_names_everything_that_is_overridden():
    overridden = {
        owner_of(ours, member)
        for ours in OURS
        for member in vars(ours)
        if not member.startswith("__")
    }
    assert overridden - {None} == OVERRIDDEN.keys()


def private_members_of_rq() -> set[str]:
    """Names with an underscore that any class of RQ which is used here has, or gives itself."""
    modules = (rq.executions, rq.intermediate_queue, rq.job, rq.queue, rq.registry, rq.scheduler)
    sources = [inspect.getsource(module) for module in (*modules, rq.worker.base)]
    return {
        node.attr
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
    }


@pytest.mark.parametrize("room", ["courier", "generation", "runtime", "serve"])
def test_the_list_names_every_private_member_that_is_used(room: str):
    of_rq = {name for name in private_members_of_rq() if name.startswith("_")}
    own = {name for ours in OURS for name in vars(ours)}
    named = {name.rpartition(".")[2] for name in OVERRIDDEN} | {*OF_WORKER, *OF_JOB, *OF_EXECUTION}
    for path in (Path(workers.__path__[0]) / room).glob("*.py"):
        text = path.read_text()
        if "from rq" not in text:
            continue
        used = {
            node.attr
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Attribute) and node.attr.startswith("_")
        }
        unnamed = {name for name in used & of_rq - own if not name.startswith("__")} - named
        assert not unnamed, f"{path.name} uses {unnamed}"
